() => {
  const problems = [];
  const name = e => e.tagName.toLowerCase() + (e.className ? "." + e.className : "") + " " + JSON.stringify(e.textContent.slice(0, 40));

  // Nothing is wider than the page, but what is inside of what scrolls.
  if (document.scrollingElement.scrollWidth > innerWidth)
    problems.push("the page is " + document.scrollingElement.scrollWidth + " px wide");
  for (const e of document.body.querySelectorAll("*")) {
    if (!e.checkVisibility() || e.closest(".wide")?.contains(e.parentElement)) continue;
    const box = e.getBoundingClientRect();
    if (box.width > 0 && (box.right > innerWidth + 1 || box.left < -1))
      problems.push("outside of the page: " + name(e));
    if (!e.matches(".wide") && getComputedStyle(e).display !== "inline" && e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0)
      problems.push("overflows: " + name(e));
  }

  // Texts have the contrast of WCAG 2.2, 1.4.3, level AA.
  const parse = color => color.match(/[\d.]+/g).map(Number);
  const channel = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const color = parse(getComputedStyle(e).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
      if (color[3] > 0) problems.push("half transparent: " + name(e));
    }
    return [255, 255, 255];
  };
  let seen = 0;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const e = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !e.checkVisibility()) continue;
    seen++;
    const a = light(parse(getComputedStyle(e).color)), b = light(behind(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) problems.push("contrast " + ratio.toFixed(2) + ": " + name(e));
  }

  // Headings leave out no level.
  let level = 0;
  for (const e of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    const own = Number(e.tagName[1]);
    if (own > level + 1) problems.push("after level " + level + ": " + name(e));
    level = own;
  }
  return {problems, seen};
}
