"""The report in a real browser without network: it draws what is there, left as left, in both languages."""

import base64
import io

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import map_coordinates

import reporting_case as made
from trocar.reporting.report import report

HALF_HEIGHT_MM = 70.0  # of a slice pane, on its shorter side
SLICE = """([name, center, width]) => {
  const viewer = window.trocarViewer;
  viewer.setStep("planning");
  viewer.stage.overlays = false;
  viewer.stage.window = { center, width };
  viewer.draw();
  return viewer.slice(name).canvas.toDataURL("image/png");
}"""
SIDES = ((0.24, 0.36), (0.64, 0.76))  # of a picture's width
AXES = {
    "axial": ([1, 0, 0], [0, -1, 0]),
    "coronal": ([1, 0, 0], [0, 0, 1]),
    "sagittal": ([0, 1, 0], [0, 0, 1]),
}


def picture(data: str) -> np.ndarray:
    """(rows, columns, 3) of a data address."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data.split(",")[1]))).convert("RGB")).astype(float)


def reference(case, center_mm, name: str, shape: tuple[int, int], window: tuple[float, float]) -> np.ndarray:
    """(rows, columns) gray levels by scipy, with the geometry written out anew; NaN outside the CT."""
    right, up = (np.array(axis, dtype=float) for axis in AXES[name])
    rows, columns = shape
    mm = 2 * HALF_HEIGHT_MM / min(shape)
    across = (np.arange(columns) + 0.5 - columns / 2) * mm
    down = (rows / 2 - np.arange(rows) - 0.5) * mm
    points = center_mm + across[None, :, None] * right + down[:, None, None] * up
    matrix = np.linalg.inv(np.array(case.grid.lps_from_ijk))
    ijk = np.moveaxis(points @ matrix[:3, :3].T + matrix[:3, 3], -1, 0)
    hu = map_coordinates(case.ct.values.astype(float), ijk, order=1, mode="constant", cval=np.nan)
    center, width = window
    return np.clip((hu - center) / width + 0.5, 0.0, 1.0) * 255.0


@pytest.fixture(scope="module", params=["aligned", "oblique", "mirrored"])
def shown(request, open_report):
    case = made.case(
        grid=made.OBLIQUE if request.param == "oblique" else made.GRID, mirrored=request.param == "mirrored"
    )
    return case, open_report(report(case))


@pytest.fixture(scope="module")
def whole(open_report):
    return open_report(report(made.case(), *made.findings()))


def test_no_error_and_no_request(whole):
    assert whole.console == []
    assert [url for url in whole.requests if not url.startswith(("file:", "data:", "blob:"))] == []
    assert whole.page.locator("html").get_attribute("data-viewer") == "ready"


@pytest.mark.parametrize("name", ["axial", "coronal", "sagittal"])
def test_slice_pixels_equal_an_independent_interpolation(shown, name):
    case, opened = shown
    window = (200.0, 900.0)
    drawn = picture(opened.page.evaluate(SLICE, [name, *window]))
    assert np.array_equal(drawn[..., 0], drawn[..., 2])
    center = np.array(opened.page.evaluate("() => window.trocarViewer.stage.focus.toArray()"))
    truth = reference(case, center, name, drawn.shape[:2], window)
    columns, rows = np.meshgrid(np.arange(drawn.shape[1]), np.arange(drawn.shape[0]))
    mm = 2 * HALF_HEIGHT_MM / min(drawn.shape[:2])
    near = np.hypot(columns - drawn.shape[1] / 2, rows - drawn.shape[0] / 2) * mm < 34.0
    compared = near & np.isfinite(truth)
    assert compared.sum() > 20_000
    assert truth[compared].std() > 20.0
    difference = np.abs(drawn[..., 0] - truth)[compared]
    assert np.median(difference) <= 1.0
    assert difference.max() <= 3.0


def test_left_is_shown_as_left_and_front_on_top(shown):
    case, opened = shown
    drawn = picture(opened.page.evaluate(SLICE, ["axial", 1200.0, 200.0]))[..., 0]
    center = opened.page.evaluate("() => window.trocarViewer.stage.focus.toArray()")
    mm = 2 * HALF_HEIGHT_MM / min(drawn.shape)
    rows, columns = np.nonzero(drawn > 250)
    column_mm = (columns.mean() + 0.5 - drawn.shape[1] / 2) * mm
    row_mm = (rows.mean() + 0.5 - drawn.shape[0] / 2) * mm
    host = next(structure for structure in case.structures if structure.name.startswith("hip_"))
    ball_mm = made.MARKER_MM[0] * (1.0 if host.name == "hip_left" else -1.0)  # towards the patient's left
    assert column_mm == pytest.approx(ball_mm - center[0], abs=1.0)
    assert row_mm == pytest.approx(made.MARKER_MM[1] - center[1], abs=1.0)


def test_the_static_pictures_show_the_same_side(shown):
    """The ball lies towards the body's middle from the lesion: on the left of the picture for a left lesion."""
    case, opened = shown
    figure = opened.page.locator("div[lang=en] .panel-row figure svg").first
    figure.scroll_into_view_if_needed()
    drawn = np.asarray(Image.open(io.BytesIO(figure.screenshot())).convert("L")).astype(float)
    upper = drawn[int(0.12 * drawn.shape[0]) : int(0.27 * drawn.shape[0])] > 240
    on_left, on_right = (upper[:, int(a * drawn.shape[1]) : int(b * drawn.shape[1])] for a, b in SIDES)
    lesion = case.grid.to_lps(np.argwhere(case.structure("lesion_1").inside)).mean(axis=0)
    towards_ball, other = (on_left, on_right) if lesion[0] > 0 else (on_right, on_left)
    assert towards_ball.mean() > 0.4
    assert other.mean() < 0.1


def test_the_3d_view_is_not_blank_and_turns(whole):
    canvas = whole.page.locator("#viewer canvas").last
    canvas.scroll_into_view_if_needed()
    snapshot = "canvas => canvas.toDataURL('image/png')"
    before = picture(canvas.evaluate(snapshot))
    background = before[2, 2]
    covered = (np.abs(before - background).max(axis=-1) > 20).mean()
    assert 0.03 < covered < 0.9
    canvas.focus()
    for _ in range(4):
        whole.page.keyboard.press("ArrowRight")
    whole.page.wait_for_timeout(400)
    after = picture(canvas.evaluate(snapshot))
    assert np.abs(after - before).mean() > 1.0


def test_isotherms_and_tumor_are_drawn_on_slices(whole):
    draw = """([shown]) => {
      const viewer = window.trocarViewer;
      viewer.setStep("cryoablation-1");
      viewer.stage.overlays = shown;
      viewer.draw();
      return viewer.slice("axial").canvas.toDataURL("image/png");
    }"""
    plain, marked = (picture(whole.page.evaluate(draw, [shown])) for shown in (False, True))
    red, _, blue = np.moveaxis(marked - plain, -1, 0)
    assert (blue - red > 30).sum() > 500  # ice
    assert (red - blue > 30).sum() > 100  # tumor and nerves


def test_sliders_move_the_slices_from_the_keyboard(whole):
    slider = whole.page.locator("#viewer input[type=range]").first
    slider.focus()
    before = float(slider.input_value())
    for _ in range(4):
        whole.page.keyboard.press("ArrowRight")
    whole.page.wait_for_timeout(300)
    focus = whole.page.evaluate("() => window.trocarViewer.stage.focus.toArray()")
    assert focus[2] == pytest.approx(before + 2.0)


def test_the_languages_switch(whole):
    title = whole.page.locator("h1:visible")
    assert "Combined treatment plan" in title.inner_text()
    whole.page.get_by_role("button", name="Français").click()
    assert "Projet de traitement combiné" in title.inner_text()
    assert whole.page.locator("html").get_attribute("lang") == "fr"
    whole.page.wait_for_timeout(300)
    assert "Étape" in whole.page.locator(".viewer-bar").inner_text()
    assert "Checks" not in [text.strip() for text in whole.page.locator("h2:visible").all_inner_texts()]
    whole.page.get_by_role("button", name="English").click()
    assert "Combined treatment plan" in title.inner_text()


def test_the_browser_chooses_the_language_unless_the_report_does(open_report):
    french = open_report(report(made.case()), locale="fr-FR")
    assert french.page.locator("html").get_attribute("lang") == "fr"
    fixed = open_report(report(made.case(), language="en"), locale="fr-FR")
    assert fixed.page.locator("html").get_attribute("lang") == "en"


def test_the_banner_stays_in_view_and_on_every_sheet(whole):
    whole.page.mouse.wheel(0, 4000)
    whole.page.wait_for_timeout(200)
    assert whole.page.locator(".banner").bounding_box()["y"] == pytest.approx(0.0, abs=1.0)


def test_without_webgl_a_sentence_says_so(open_report):
    block = """
      const real = HTMLCanvasElement.prototype.getContext;
      HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
        return kind.startsWith("webgl") ? null : real.call(this, kind, ...rest);
      };
    """
    opened = open_report(report(made.case(), *made.findings()), before=block)
    assert opened.page.locator("html").get_attribute("data-viewer") == "missing"
    assert opened.page.locator("#viewer-missing p:visible").inner_text().startswith("This browser cannot show")
    assert not [line for line in opened.console if line.startswith("error")]
