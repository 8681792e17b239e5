// The margin on the tumour's surface, seen from any side.

const SURFACE_VIEWS = {
  A: [[1, 0, 0], [0, 0, -1], [0, 1, 0]], P: [[-1, 0, 0], [0, 0, -1], [0, -1, 0]],
  L: [[0, 1, 0], [0, 0, -1], [-1, 0, 0]], R: [[0, -1, 0], [0, 0, -1], [1, 0, 0]],
  H: [[-1, 0, 0], [0, 1, 0], [0, 0, -1]], F: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
};
const COLOUR_STEPS = 1024;
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const unit = (a) => { const length = Math.hypot(...a) || 1; return a.map((value) => value / length); };

class MarginMap {
  /** @param goToPoint called with the LPS point that a person picks. */
  constructor(root, goToPoint) {
    this.root = root;
    this.canvas = root.querySelector("canvas");
    this.zone = root.querySelector("select");
    this.goToPoint = goToPoint;
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  show(scene) {
    this.scene = scene;
    this.root.hidden = !scene.surface;
    if (!scene.surface) return;
    const { vertices, triangles } = scene.surface, normals = new Float32Array(vertices.length), count = vertices.length / 3;
    const low = [Infinity, Infinity, Infinity], high = [-Infinity, -Infinity, -Infinity];
    for (let index = 0; index < vertices.length; index++) {
      low[index % 3] = Math.min(low[index % 3], vertices[index]);
      high[index % 3] = Math.max(high[index % 3], vertices[index]);
    }
    const vertex = (number) => [vertices[3 * number], vertices[3 * number + 1], vertices[3 * number + 2]];
    const minus = (one, other) => one.map((value, axis) => value - other[axis]);
    for (let triangle = 0; triangle < triangles.length / 3; triangle++) {
      const corners = [...triangles.subarray(3 * triangle, 3 * triangle + 3)], [a, b, c] = corners.map(vertex);
      const normal = cross(minus(b, a), minus(c, a));
      for (const corner of corners) for (let axis = 0; axis < 3; axis++) normals[3 * corner + axis] += normal[axis];
    }
    this.center = low.map((value, axis) => (value + high[axis]) / 2);
    this.radius = 1;
    for (let number = 0; number < count; number++) {
      this.radius = Math.max(this.radius, Math.hypot(...minus(vertex(number), this.center)));
      const normal = normals.subarray(3 * number, 3 * number + 3);
      normal.set(unit([...normal]));
    }
    this.normals = normals;
    this.zone.replaceChildren(...scene.margins.map((margin, index) => new Option(margin.zoneName, index)));
    this.colours = this.colourTable();
    this.faceWorst();
  }

  listen() {
    const { canvas } = this;
    this.zone.addEventListener("input", () => this.faceWorst());
    for (const button of this.root.querySelectorAll("[data-view]")) {
      button.addEventListener("click", () => {
        if (button.dataset.view === "worst") this.faceWorst(); else this.face(SURFACE_VIEWS[button.dataset.view]);
      });
    }
    let last = null, moved = 0;
    canvas.addEventListener("pointerdown", (event) => {
      last = [event.clientX, event.clientY];
      moved = 0;
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (last) {
        const [dx, dy] = [event.clientX - last[0], event.clientY - last[1]];
        moved += Math.abs(dx) + Math.abs(dy);
        last = [event.clientX, event.clientY];
        this.turn((3 * dx) / canvas.clientWidth, (3 * dy) / canvas.clientWidth);
      }
      this.readOut(this.pick(event));
    });
    canvas.addEventListener("pointerup", (event) => {
      last = null;
      const picked = moved < 4 && this.pick(event);
      if (picked) this.goToPoint(picked.point);
    });
    canvas.addEventListener("pointercancel", () => { last = null; });
    this.root.addEventListener("keydown", (event) => {
      if (event.target !== canvas || event.ctrlKey || event.metaKey || event.altKey) return;
      const step = Math.PI / 12, keys = {
        ArrowLeft: () => this.turn(-step, 0), ArrowRight: () => this.turn(step, 0), ArrowUp: () => this.turn(0, -step),
        ArrowDown: () => this.turn(0, step), w: () => this.faceWorst(),
        ...Object.fromEntries(Object.entries(SURFACE_VIEWS).map(([letter, axes]) => [letter.toLowerCase(), () => this.face(axes)])),
      };
      const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (!act) return;
      event.preventDefault();
      act();
    });
  }

  get margin() { return this.scene.margins[Number(this.zone.value)]; }

  face(axes) {
    this.axes = axes;
    this.readOut(null);
    this.draw();
  }

  /** Turns the side of the worst point towards the onlooker, head up. */
  faceWorst() {
    const outwards = unit(this.margin.worstPointLPS.map((value, axis) => value - this.center[axis]));
    const into = outwards.map((value) => -value), head = Math.abs(into[2]) > 0.95 ? [0, -1, 0] : [0, 0, 1];
    const right = unit(cross(into, head));
    this.face([right, cross(into, right), into]);
  }

  /** Turns the surface as if by hand: to the right and down. */
  turn(yaw, pitch) {
    const [right, down, into] = this.axes;
    const mix = (a, b, angle) => a.map((value, axis) => Math.cos(angle) * value + Math.sin(angle) * b[axis]);
    const turned = unit(mix(right, into, yaw)), deeper = unit(mix(into, right, -yaw));
    const lower = unit(mix(down, deeper, pitch));
    this.axes = [turned, lower, cross(turned, lower)];
    this.draw();
  }

  /** Red, green and blue from the lowest to the highest margin of the scale. */
  colourTable() {
    const { below, above, lowMM, highMM, requiredMM } = this.scene.colours;
    const parse = (text) => [1, 3, 5].map((start) => parseInt(text.slice(start, start + 2), 16));
    const mix = (list, share) => {
      const place = share * (list.length - 1), index = Math.min(Math.floor(place), list.length - 2);
      return list[index].map((value, channel) => value + (place - index) * (list[index + 1][channel] - value));
    };
    const [low, high] = [below.map(parse), above.map(parse)], table = new Float32Array(3 * COLOUR_STEPS);
    for (let step = 0; step < COLOUR_STEPS; step++) {
      const margin = lowMM + (step / (COLOUR_STEPS - 1)) * (highMM - lowMM);
      const isBelow = margin < requiredMM, [from, to] = isBelow ? [lowMM, requiredMM] : [requiredMM, highMM];
      table.set(mix(isBelow ? low : high, (margin - from) / (to - from)), 3 * step);
    }
    return table;
  }

  draw() {
    if (!this.scene?.surface || !this.axes || this.pending) return;
    this.pending = requestAnimationFrame(() => { this.pending = null; this.paint(); });
  }

  /** Fills the nearest surface into `margins` and `depths`, then colours it. */
  paint() {
    const { canvas, scene, normals, center } = this, ratio = Math.min(window.devicePixelRatio || 1, 2);
    const side = Math.round(canvas.clientWidth * ratio);
    if (side === 0) return;
    canvas.width = canvas.height = side;
    const { vertices, triangles } = scene.surface, { values } = this.margin, [right, down, into] = this.axes, count = vertices.length / 3;
    this.scale = (0.46 * side) / this.radius;
    const places = new Float32Array(3 * count), facing = new Float32Array(count);
    for (let vertex = 0; vertex < count; vertex++) {
      const at = 3 * vertex, offset = [vertices[at] - center[0], vertices[at + 1] - center[1], vertices[at + 2] - center[2]];
      places[at] = (side - 1) / 2 + this.scale * dot(offset, right);
      places[at + 1] = (side - 1) / 2 + this.scale * dot(offset, down);
      places[at + 2] = dot(offset, into);
      facing[vertex] = -(normals[at] * into[0] + normals[at + 1] * into[1] + normals[at + 2] * into[2]);
    }
    const margins = new Float32Array(side * side).fill(NaN), depths = new Float32Array(side * side).fill(Infinity);
    const lights = new Float32Array(side * side);
    for (let triangle = 0; triangle < triangles.length; triangle += 3) {
      const [a, b, c] = [triangles[triangle], triangles[triangle + 1], triangles[triangle + 2]];
      const ax = places[3 * a], ay = places[3 * a + 1], az = places[3 * a + 2];
      const bx = places[3 * b], by = places[3 * b + 1], bz = places[3 * b + 2];
      const cx = places[3 * c], cy = places[3 * c + 1], cz = places[3 * c + 2];
      const area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay);
      if (area === 0) continue;
      const [x1, x2] = [Math.max(0, Math.ceil(Math.min(ax, bx, cx) - 1e-3)), Math.min(side - 1, Math.max(ax, bx, cx) + 1e-3)];
      const [y1, y2] = [Math.max(0, Math.ceil(Math.min(ay, by, cy) - 1e-3)), Math.min(side - 1, Math.max(ay, by, cy) + 1e-3)];
      for (let y = y1; y <= y2; y++) {
        for (let x = x1; x <= x2; x++) {
          const u = ((x - ax) * (cy - ay) - (cx - ax) * (y - ay)) / area, v = ((bx - ax) * (y - ay) - (x - ax) * (by - ay)) / area;
          const w = 1 - u - v;
          if (u < -1e-3 || v < -1e-3 || w < -1e-3) continue;
          const depth = w * az + u * bz + v * cz, pixel = y * side + x;
          if (depth >= depths[pixel]) continue;
          depths[pixel] = depth;
          margins[pixel] = w * values[a] + u * values[b] + v * values[c];
          lights[pixel] = w * facing[a] + u * facing[b] + v * facing[c];
        }
      }
    }
    Object.assign(this, { margins, depths, side });
    this.colour(lights, ratio);
  }

  colour(lights, ratio) {
    const { canvas, margins, side, scene, colours } = this, { requiredMM, lowMM, highMM } = scene.colours;
    const perMM = (COLOUR_STEPS - 1) / (highMM - lowMM);
    const context = canvas.getContext("2d"), image = context.createImageData(side, side), pixels = new Uint32Array(image.data.buffer);
    // A line where the margin passes a level: the pixel and its right or lower neighbours lie on different sides of it.
    const crosses = (pixel, level, reach) => {
      const here = margins[pixel] < level;
      for (let step = 1; step <= reach; step++) {
        for (const other of [pixel + step, pixel + step * side]) {
          if (margins[other] === margins[other] && margins[other] < level !== here) return true;
        }
      }
      return false;
    };
    const reach = Math.max(1, Math.round(ratio));
    for (let pixel = 0; pixel < side * side; pixel++) {
      const margin = margins[pixel];
      if (margin !== margin) continue;
      const light = 0.5 + 0.5 * Math.min(1, Math.max(0, lights[pixel]));
      const step = 3 * Math.round(Math.min(Math.max((margin - lowMM) * perMM, 0), COLOUR_STEPS - 1));
      pixels[pixel] = 0xff000000 | ((colours[step + 2] * light) << 16) | ((colours[step + 1] * light) << 8) | (colours[step] * light);
      if (crosses(pixel, requiredMM, reach + 1)) pixels[pixel] = 0xff000000;
      else if (crosses(pixel, 0, reach) && (pixel % side + Math.floor(pixel / side)) % (8 * reach) < 5 * reach) pixels[pixel] = 0xffffffff;
    }
    context.putImageData(image, 0, 0);
    context.scale(ratio, ratio);
    this.drawMarks(context, side / ratio, ratio);
  }

  drawMarks(context, side, ratio) {
    const place = this.place(this.margin.worstPointLPS), pixel = Math.round(place[1]) * this.side + Math.round(place[0]);
    context.font = `600 ${LABEL_PIXELS}px system-ui, sans-serif`;
    if (place[2] < this.depths[pixel] + 1) {
      const path = new Path2D(), [x, y] = [place[0] / ratio, place[1] / ratio];
      path.arc(x, y, 7, 0, 7);
      stroke(context, path, { colour: MARK_COLOUR, dash: [], width: 2 });
      context.textAlign = x > side / 2 ? "right" : "left";
      write(context, this.margin.text, x + (x > side / 2 ? -12 : 12), y - 14, MARK_COLOUR);
    }
    // What the edges face: the letters of the two directions that a picture's axis leans to.
    const letters = (axis, sign) => [["L", "R"], ["P", "A"], ["H", "F"]]
      .map(([plus, minus], index) => ({ size: Math.abs(axis[index]), letter: sign * axis[index] > 0 ? plus : minus }))
      .filter(({ size }) => size > 0.26).sort((a, b) => b.size - a.size).map(({ letter }) => letter).join("");
    const [right, down] = this.axes;
    context.textAlign = "left";
    write(context, letters(right, -1), 7, side / 2);
    context.textAlign = "right";
    write(context, letters(right, 1), side - 7, side / 2);
    context.textAlign = "center";
    write(context, letters(down, -1), side / 2, 14);
    write(context, letters(down, 1), side / 2, side - 13);
  }

  place(point) {
    const offset = point.map((value, axis) => value - this.center[axis]), [right, down, into] = this.axes, middle = (this.side - 1) / 2;
    return [middle + this.scale * dot(offset, right), middle + this.scale * dot(offset, down), dot(offset, into)];
  }

  /** The point of the surface under the pointer and its margin. */
  pick(event) {
    const box = this.canvas.getBoundingClientRect(), ratio = this.side / box.width;
    const [x, y] = [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio].map(Math.floor), pixel = y * this.side + x;
    if (!Number.isFinite(this.margins?.[pixel])) return null;
    const [right, down, into] = this.axes, middle = (this.side - 1) / 2;
    const [a, b, c] = [(x - middle) / this.scale, (y - middle) / this.scale, this.depths[pixel]];
    const point = this.center.map((value, axis) => value + a * right[axis] + b * down[axis] + c * into[axis]);
    return { margin: this.margins[pixel], point };
  }

  readOut(picked) {
    const { margin } = this, sign = picked?.margin > 0.05 ? "+" : "";
    const text = picked
      ? `margin ${sign}${millimetres(picked.margin)} at LPS ${picked.point.map((value) => signed(value, 1)).join(", ")} mm`
      : `${margin.zoneName}: smallest margin ${margin.text}, ringed`;
    this.root.querySelector(".readout").textContent = text;
  }
}
