// What every drawing here shares: a sharp canvas of its element's size, and the theme's colours. No pictures.

/** Size the canvas to its element at the screen's resolution; returns a context in CSS pixels. */
export function sharp(canvas: HTMLCanvasElement): CanvasRenderingContext2D | null {
  const ratio = window.devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * ratio);
  const height = Math.round(canvas.clientHeight * ratio);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d");
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  context?.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
  return context;
}

/** A custom property of the style sheet as the canvas's element sees it. */
export function colour(element: Element, name: string): string {
  return getComputedStyle(element).getPropertyValue(name).trim();
}

/** Call `redraw` when the colours or the size of `element` change; returns how to stop. */
export function onLook(element: Element, redraw: () => void): () => void {
  const sizes = new ResizeObserver(redraw);
  sizes.observe(element);
  const theme = new MutationObserver(redraw);
  theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return () => {
    sizes.disconnect();
    theme.disconnect();
  };
}
