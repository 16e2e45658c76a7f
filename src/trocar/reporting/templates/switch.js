// The language of the page: the reader's choice, else the report's, else the browser's.
(() => {
  const page = document.documentElement;
  const buttons = [...document.querySelectorAll("button[data-language]")];
  const choose = (code) => {
    page.lang = code;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.language === code));
  };
  for (const button of buttons) button.addEventListener("click", () => choose(button.dataset.language));
  const browser = navigator.language.startsWith("fr") ? "fr" : "en";
  choose("fixed" in page.dataset ? page.lang : browser);
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
})();
