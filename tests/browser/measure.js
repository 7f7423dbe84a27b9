/* Run in the page: where the browser has put each text and box of the picture, in pixels, and in which colours. */
(() => {
  const at = (element) => {
    const { left, top, right, bottom } = element.getBoundingClientRect();
    return { left, top, right, bottom };
  };
  const fill = (element) => getComputedStyle(element).fill;
  const svg = document.querySelector("svg");
  const ground = svg.querySelector(".page");
  return {
    title: document.title,
    scripts: document.querySelectorAll("script").length,
    /** How far the page is wider than the window. */
    overhang: document.documentElement.scrollWidth - innerWidth,
    svg: at(svg),
    boxes: [...svg.querySelectorAll(".box > .frame")].map(at),
    cards: [...svg.querySelectorAll(".card > .frame")].map(at),
    texts: [...svg.querySelectorAll("text")].map((text) => {
      const frame = text.parentNode.querySelector(":scope > .frame") ?? ground;
      return {
        text: text.textContent,
        at: at(text),
        frame: at(frame),
        fill: fill(text),
        on: fill(frame),
      };
    }),
  };
})();
