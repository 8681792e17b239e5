// One plane of a scene on a canvas: image, outlines, probes, marks and letters.

/** Planes as radiologists expect them: columns to the right along `u`, rows down along `v` (against it where `up`), slices along `n`. */
const PLANES = {
  axial: { name: "axial", u: 0, v: 1, n: 2, up: false, letters: ["R", "L", "A", "P"], coordinate: "S" },
  coronal: { name: "coronal", u: 0, v: 2, n: 1, up: true, letters: ["R", "L", "H", "F"], coordinate: "P" },
  sagittal: { name: "sagittal", u: 1, v: 2, n: 0, up: true, letters: ["A", "P", "H", "F"], coordinate: "L" },
};

/** Colours that people with any colour vision can tell apart on grey; dashes and labels tell objects apart without colour. */
const OBJECT_STYLES = {
  tumour: { colour: "#e69f00", dash: [], width: 2.2 },
  ice: { colour: "#56b4e9", dash: [], width: 1.5 },
  isotherm20: { colour: "#00c291", dash: [8, 4], width: 1.5 },
  isotherm40: { colour: "#e08fc0", dash: [2, 3], width: 1.8 },
  structure: { colour: "#ff7f3f", dash: [8, 3, 2, 3], width: 1.5 },
  probes: { colour: "#ffffff", dash: [], width: 1.2 },
};
const MARK_COLOUR = "#f0e442";
const LABEL_PIXELS = 13;

class Pane {
  constructor(canvas, plane) {
    this.canvas = canvas;
    this.plane = plane;
    this.picture = document.createElement("canvas");
  }

  /** How voxel positions lie on the canvas, in CSS pixels. All panes have one scale. */
  layout(state) {
    const { scene } = state, { u, v, up } = this.plane, side = this.canvas.clientWidth;
    const extent = (axis) => scene.size[axis] * scene.spacingMM[axis];
    const scale = (state.zoom * side) / Math.max(extent(0), extent(1), extent(2));
    const middle = (axis) => {
      const half = side / 2 / scale / scene.spacingMM[axis], last = scene.size[axis] - 0.5;
      return 2 * half >= scene.size[axis] ? (scene.size[axis] - 1) / 2 : Math.min(Math.max(state.position[axis], half - 0.5), last - half);
    };
    const [mu, mv] = [middle(u), middle(v)], [su, sv] = [scale * scene.spacingMM[u], (up ? -scale : scale) * scene.spacingMM[v]];
    return {
      side, scale, su, sv,
      x: (position) => side / 2 + (position - mu) * su, y: (position) => side / 2 + (position - mv) * sv,
      u: (x) => mu + (x - side / 2) / su, v: (y) => mv + (y - side / 2) / sv,
    };
  }

  draw(state, weights) {
    const { canvas } = this, ratio = Math.min(window.devicePixelRatio || 1, 2), side = canvas.clientWidth;
    if (side === 0) return;
    canvas.width = canvas.height = Math.round(side * ratio);
    const context = canvas.getContext("2d"), layout = this.layout(state);
    context.scale(ratio, ratio);
    context.fillStyle = "#000";
    context.fillRect(0, 0, side, side);
    context.font = `600 ${side < 260 ? 11 : LABEL_PIXELS}px system-ui, sans-serif`;
    this.drawImage(context, state, layout, weights);
    if (state.crosshair) this.drawCrosshair(context, state, layout);
    this.labels = [];
    if (state.outlines) this.drawWorst(context, state, layout);
    this.drawObjects(context, state, layout);
    if (state.outlines && state.shown.probes) for (const probe of state.scene.probes) this.drawProbe(context, state, layout, probe);
    this.drawLabels(context, layout);
    this.drawLetters(context, state, layout, weights);
  }

  /** The mean of the images by their `weights`, each in its window. */
  drawImage(context, state, layout, weights) {
    const { scene } = state, { u, v, n, up } = this.plane, [width, height] = [scene.size[u], scene.size[v]];
    const strides = [1, scene.size[0], scene.size[0] * scene.size[1]], start = Math.round(state.position[n]) * strides[n];
    const { picture } = this;
    if (picture.width !== width || picture.height !== height) [picture.width, picture.height] = [width, height];
    const data = picture.getContext("2d").createImageData(width, height), pixels = new Uint32Array(data.data.buffer);
    const layers = scene.images
      .map((image, index) => ({ codes: image.codes, grey: state.greys[index], weight: weights[index] }))
      .filter((layer) => layer.weight > 0);
    for (let row = 0, pixel = 0; row < height; row++) {
      let voxel = start + (up ? height - 1 - row : row) * strides[v];
      for (let column = 0; column < width; column++, pixel++, voxel += strides[u]) {
        let value = 0;
        for (const layer of layers) value += layer.weight * layer.grey[layer.codes[voxel]];
        pixels[pixel] = 0xff000000 | (Math.round(value) * 0x010101);
      }
    }
    picture.getContext("2d").putImageData(data, 0, 0);
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, layout.x(-0.5), layout.y(up ? height - 0.5 : -0.5), width * layout.su, height * Math.abs(layout.sv));
  }

  drawObjects(context, state, layout) {
    if (!state.outlines) return;
    const index = Math.round(state.position[this.plane.n]);
    state.scene.objects.forEach((object, number) => {
      if (!state.shown[number]) return;
      const style = OBJECT_STYLES[object.kind], path = new Path2D();
      let rightmost = null;
      for (const line of joinedLines(outlineSegments(object, this.plane, index))) {
        line.forEach(([a, b], corner) => {
          const [x, y] = [layout.x(a), layout.y(b)];
          if (corner === 0) path.moveTo(x, y); else path.lineTo(x, y);
          if (!rightmost || x > rightmost.x) rightmost = { x, y };
        });
      }
      stroke(context, path, style);
      if (rightmost) this.labels.push({ ...rightmost, text: object.label, colour: style.colour });
    });
  }

  /** Names beside what they name, kept off one another and inside the picture; the first come first. */
  drawLabels(context, layout) {
    context.textAlign = "left";
    const taken = [];
    for (const { text, x, y, colour } of this.labels) {
      const width = context.measureText(text).width, height = LABEL_PIXELS + 2;
      const places = [
        [6, 0], [6, -height], [6, height], [-width - 8, -height], [-width - 8, height], [6, -2 * height], [6, 2 * height], [6, 3 * height],
        [6, -3 * height],
      ]
        .map(([dx, dy]) => [Math.min(Math.max(x + dx, 4), layout.side - width - 4), Math.min(Math.max(y + dy, 64), layout.side - 34)]);
      const isBeside = (box, left) => left > box.left + box.width + 2 || left + width + 2 < box.left;
      const isFree = ([left, middle]) => taken.every((box) => isBeside(box, left) || Math.abs(middle - box.middle) >= height);
      const [left, middle] = places.find(isFree) ?? places[0];
      taken.push({ left, width, middle });
      write(context, text, left, middle, colour);
    }
  }

  /** The part of a probe's shaft in the slice; its tip as a dot. */
  drawProbe(context, state, layout, probe) {
    const { u, v, n } = this.plane, { scene } = state, half = 0.5 + 0.75 / scene.spacingMM[n];
    const tip = scene.position(probe.tipLPS), tail = scene.position(probe.tailLPS), middle = Math.round(state.position[n]);
    const depth = (share) => tip[n] + share * (tail[n] - tip[n]) - middle;
    let [low, high] = [0, 1];
    const slope = tail[n] - tip[n];
    if (Math.abs(slope) < 1e-9) {
      if (Math.abs(depth(0)) > half) return;
    } else {
      const ends = [(-half - depth(0)) / slope, (half - depth(0)) / slope].sort((a, b) => a - b);
      [low, high] = [Math.max(low, ends[0]), Math.min(high, ends[1])];
      if (low > high) return;
    }
    const path = new Path2D();
    const at = (share) => [layout.x(tip[u] + share * (tail[u] - tip[u])), layout.y(tip[v] + share * (tail[v] - tip[v]))];
    const [from, to] = [at(low), at(high)];
    path.moveTo(...from);
    path.lineTo(...to);
    path.moveTo(from[0] + 3, from[1]);
    path.arc(from[0], from[1], 3, 0, 7);
    stroke(context, path, OBJECT_STYLES.probes);
    this.labels.push({ text: probe.id, x: from[0], y: from[1] - 9, colour: OBJECT_STYLES.probes.colour });
  }

  /** A ring around the worst point of the deciding zone, with the way to the zone's surface. */
  drawWorst(context, state, layout) {
    const margin = state.scene.margins[0], { u, v, n } = this.plane;
    if (!margin) return;
    const worst = state.scene.position(margin.worstPointLPS), zone = state.scene.position(margin.nearestZonePointLPS);
    if (Math.abs(worst[n] - Math.round(state.position[n])) > 0.75) return;
    const path = new Path2D(), [x, y] = [layout.x(worst[u]), layout.y(worst[v])], end = [layout.x(zone[u]), layout.y(zone[v])];
    path.arc(x, y, 6, 0, 7);
    const length = Math.hypot(end[0] - x, end[1] - y);
    if (length > 8) {
      path.moveTo(x + (6 * (end[0] - x)) / length, y + (6 * (end[1] - y)) / length);
      path.lineTo(...end);
    }
    stroke(context, path, { colour: MARK_COLOUR, dash: [], width: 1.6 });
    this.labels.push({ text: margin.text, x: x + 6, y: y - 14, colour: MARK_COLOUR });
  }

  drawCrosshair(context, state, layout) {
    const { u, v } = this.plane, [x, y] = [layout.x(state.position[u]), layout.y(state.position[v])], { side } = layout, gap = 14;
    const path = new Path2D();
    for (const [a, b] of [[[0, y], [x - gap, y]], [[x + gap, y], [side, y]], [[x, 0], [x, y - gap]], [[x, y + gap], [x, side]]]) {
      path.moveTo(...a);
      path.lineTo(...b);
    }
    stroke(context, path, { colour: "rgb(255 255 255 / 70%)", dash: [2, 4], width: 1 });
  }

  drawLetters(context, state, layout, weights) {
    const { scene } = state, { n, letters, coordinate, name } = this.plane, { side } = layout, inset = 7;
    const place = scene.point(state.position)[n];
    context.textAlign = "left";
    write(context, letters[0], inset, side / 2);
    write(context, `${name}  ${coordinate} ${millimetres(place)}`, inset, inset + 7);
    const shown = scene.images.filter((image, index) => weights[index] > 0).map((image) => image.name).join(" + ");
    write(context, shown, inset, inset + 24, "#d5d8dc");
    context.textAlign = "right";
    write(context, letters[1], side - inset, side / 2);
    context.textAlign = "center";
    write(context, letters[2], side / 2, inset + 41);
    write(context, letters[3], side / 2, side - inset - 6);
    const bar = [50, 20, 10, 5, 2].find((length) => length * layout.scale <= side / 3) ?? 1;
    const path = new Path2D(), end = inset + bar * layout.scale;
    path.moveTo(inset, side - 16);
    path.lineTo(inset, side - 8);
    path.lineTo(end, side - 8);
    path.lineTo(end, side - 16);
    stroke(context, path, { colour: "#fff", dash: [], width: 1.5 });
    context.textAlign = "left";
    write(context, `${bar} mm`, end + 6, side - 12);
  }
}

/** A line with a dark seam, which keeps it visible on bright tissue. */
function stroke(context, path, { colour, dash, width }) {
  context.lineJoin = "round";
  context.setLineDash(dash);
  context.strokeStyle = "rgb(0 0 0 / 55%)";
  context.lineWidth = width + 1.8;
  context.stroke(path);
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke(path);
  context.setLineDash([]);
}

function write(context, text, x, y, colour = "#fff") {
  context.textBaseline = "middle";
  context.strokeStyle = "rgb(0 0 0 / 75%)";
  context.lineWidth = 3;
  context.lineJoin = "round";
  context.strokeText(text, x, y);
  context.fillStyle = colour;
  context.fillText(text, x, y);
}

/** As numbers stand everywhere on the page: a true minus sign, the unit. */
function millimetres(value, decimals = 1) {
  const text = Math.abs(value).toFixed(decimals);
  return `${value < 0 && Number(text) !== 0 ? "−" : ""}${text} mm`;
}
