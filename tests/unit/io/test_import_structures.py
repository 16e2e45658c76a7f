"""One structure through every kind of file: the ball on the left stays on the left."""

import numpy as np
from asymmetric import CORONAL, LEFT_BALL_LPS_MM, in_ball, nifti, saved, series
from drawn import circles, in_slices, voxels, written_rtstruct, written_seg

from trocar.io.dicom import read_dicom
from trocar.io.reader import read_case
from trocar.model.case import Side


def test_the_ball_on_the_left_is_on_the_left_of_the_case(tmp_path):
    """Through DICOM slices, a SEG, an RTSTRUCT and a NIfTI mask: the same voxels, at the patient's left (+x)."""
    slices = series(*CORONAL)
    folder = saved(tmp_path / "ct", slices)
    grid = read_dicom(folder).volume.grid
    seg = tmp_path / "seg.dcm"
    written_seg(slices, [in_slices(slices, in_ball)], "BINARY", ["hip_left"]).save_as(seg)
    mask = nifti(tmp_path / "ball.nii.gz", in_ball(voxels(grid)).astype(np.uint8), grid.matrix)
    cases = [
        read_case(folder, structures=seg),
        read_case(folder, structure={"hip_left": mask}),
        read_case(folder, structures=written_rtstruct(tmp_path / "rs.dcm", {"hip_left": circles(slices, 8.0)})),
    ]
    for case in cases:
        inside = case.structure("hip_left").inside
        assert case.structure("hip_left").side is Side.LEFT
        center = case.grid.to_lps(np.argwhere(inside)).mean(axis=0)
        np.testing.assert_allclose(center, LEFT_BALL_LPS_MM, atol=0.6)
        assert case.ct.values[inside].mean() > np.fliplr(case.ct.values.T).T[inside].mean() + 50
    np.testing.assert_array_equal(cases[0].structure("hip_left").inside, cases[1].structure("hip_left").inside)
