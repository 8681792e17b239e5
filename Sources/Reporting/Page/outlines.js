// Outlines of objects in the slices of a scene: where their signed distance passes zero, to a fraction of a voxel (marching squares).

/**
 * Pairs of cell edges (0 top, 1 right, 2 bottom, 3 left) that a line joins, by which corners are inside
 * (1 top left, 2 top right, 4 bottom right, 8 bottom left).
 */
const CELL_LINES = [
  [], [[3, 0]], [[0, 1]], [[3, 1]], [[1, 2]], null, [[0, 2]], [[3, 2]],
  [[2, 3]], [[2, 0]], null, [[2, 1]], [[1, 3]], [[1, 0]], [[0, 3]], [],
];

/** Line segments [u0, v0, u1, v1, …] in voxel positions of axes u and v where `object` meets slice `index` of axis n. */
function outlineSegments(object, { u, v, n }, index) {
  const slice = index - object.first[n];
  if (slice < 0 || slice >= object.size[n]) return [];
  const strides = [1, object.size[0], object.size[0] * object.size[1]], [du, dv] = [strides[u], strides[v]];
  const start = slice * strides[n], { codes } = object, segments = [];
  // The surface is at code 128, and 128 itself is inside; beyond the part all is outside.
  const at = (a, b) => (a < 0 || b < 0 || a >= object.size[u] || b >= object.size[v] ? -1 : codes[start + a * du + b * dv] - 127.5);
  for (let b = -1; b < object.size[v]; b++) {
    for (let a = -1; a < object.size[u]; a++) {
      const [p, q, r, s] = [at(a, b), at(a + 1, b), at(a + 1, b + 1), at(a, b + 1)];
      const code = (p >= 0) | ((q >= 0) << 1) | ((r >= 0) << 2) | ((s >= 0) << 3);
      if (code === 0 || code === 15) continue;
      const place = [
        () => [a + p / (p - q), b], () => [a + 1, b + q / (q - r)], () => [a + s / (s - r), b + 1], () => [a, b + p / (p - s)],
      ];
      let lines = CELL_LINES[code];
      if (!lines) lines = (code === 5) === (p + q + r + s >= 0) ? [[0, 1], [3, 2]] : [[3, 0], [1, 2]];
      for (const [one, other] of lines) {
        const [x0, y0] = place[one](), [x1, y1] = place[other]();
        segments.push(x0 + object.first[u], y0 + object.first[v], x1 + object.first[u], y1 + object.first[v]);
      }
    }
  }
  return segments;
}

/** Segments joined to lines, so that dashes run on. */
function joinedLines(segments) {
  const key = (x, y) => `${Math.round(x * 4096)},${Math.round(y * 4096)}`, ends = new Map();
  const used = new Uint8Array(segments.length / 4);
  for (let index = 0; index < used.length; index++) {
    for (const end of [0, 2]) {
      const name = key(segments[4 * index + end], segments[4 * index + end + 1]);
      if (ends.has(name)) ends.get(name).push(index); else ends.set(name, [index]);
    }
  }
  const lines = [];
  const follow = (line) => {
    for (;;) {
      const [x, y] = line[line.length - 1], name = key(x, y), next = ends.get(name).find((index) => !used[index]);
      if (next === undefined) return;
      used[next] = 1;
      const [x0, y0, x1, y1] = segments.slice(4 * next, 4 * next + 4);
      line.push(key(x0, y0) === name ? [x1, y1] : [x0, y0]);
    }
  };
  for (let index = 0; index < used.length; index++) {
    if (used[index]) continue;
    used[index] = 1;
    const line = [[segments[4 * index], segments[4 * index + 1]], [segments[4 * index + 2], segments[4 * index + 3]]];
    follow(line);
    line.reverse();
    follow(line);
    lines.push(line);
  }
  return lines;
}
