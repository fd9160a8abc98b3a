/** The text cut to so many code points, which is how the API server counts; it refuses the whole status when one text is too long. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const points = [...text];
  return points.length <= most ? text : `${points.slice(0, most - 1).join('')}…`;
}
