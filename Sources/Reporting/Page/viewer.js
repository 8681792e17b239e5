// The viewer: linked planes of a scene, with their controls.

/** CT windows in HU. */
const WINDOWS = {
  soft: { level: 40, width: 400 },
  lung: { level: -600, width: 1500 },
  bone: { level: 400, width: 1800 },
};
const ZOOMS = [1, 1.5, 2, 3, 4];

class Viewer {
  constructor(root) {
    this.root = root;
    this.panes = [...root.querySelectorAll("canvas[data-plane]")].map((canvas) =>
      Object.assign(new Pane(canvas, PLANES[canvas.dataset.plane]), { isBeside: "beside" in canvas.dataset }));
    this.controls = Object.fromEntries([...root.querySelectorAll("[data-control]")].map((element) => [element.dataset.control, element]));
    this.sliders = Object.fromEntries([...root.querySelectorAll("[data-slice]")].map((element) => [element.dataset.slice, element]));
    this.listen();
    new ResizeObserver(() => this.draw()).observe(root.querySelector(".panes"));
  }

  /** Shows a scene, at its worst point. */
  show(scene) {
    const { controls } = this;
    this.state = {
      scene, zoom: 1, outlines: true, crosshair: true, fade: 0, beside: false, shown: { probes: true }, greys: [],
      position: scene.held(scene.position(scene.focusLPS)),
    };
    scene.objects.forEach((object, number) => { this.state.shown[number] = true; });
    const isCT = scene.images[0].modality === "CT", hasPlanning = scene.images.length > 1;
    for (const option of controls.window.options) option.hidden = option.disabled = option.value in WINDOWS && !isCT;
    controls.window.value = "site";
    controls.window.options[0].textContent = isCT ? "Site’s window" : "MR auto";
    for (const name of ["fade", "beside"]) controls[name].disabled = !hasPlanning;
    this.root.querySelector(".planning-note").textContent = hasPlanning ? scene.images[1].note : "There is no planning scan to show.";
    controls.worst.disabled = scene.margins.length === 0;
    for (const [name, slider] of Object.entries(this.sliders)) slider.max = scene.size[PLANES[name].n] - 1;
    this.listObjects();
    this.applyWindow();
    this.update();
  }

  listObjects() {
    const list = this.root.querySelector(".objects"), { scene, shown } = this.state;
    list.replaceChildren();
    const add = (key, name, style) => {
      const label = document.createElement("label"), box = document.createElement("input");
      box.type = "checkbox";
      box.checked = true;
      box.dataset.object = key;
      box.addEventListener("change", () => { shown[key] = box.checked; this.draw(); });
      label.append(box, swatch(style), name);
      list.append(label);
    };
    scene.objects.forEach((object, number) => add(number, object.name, OBJECT_STYLES[object.kind]));
    if (scene.probes.length > 0) add("probes", scene.probes.length === 1 ? "probe" : "probes", OBJECT_STYLES.probes);
  }

  listen() {
    const { controls, root } = this;
    const change = (name, act) => controls[name].addEventListener("input", () => { act(controls[name]); this.update(); });
    change("window", () => this.applyWindow());
    for (const name of ["level", "width"]) change(name, () => { controls.window.value = "own"; this.applyWindow(); });
    change("fade", (control) => { this.state.fade = Number(control.value) / 100; });
    change("beside", (control) => { this.state.beside = control.checked; });
    change("outlines", (control) => { this.state.outlines = control.checked; });
    change("crosshair", (control) => { this.state.crosshair = control.checked; });
    controls.worst.addEventListener("click", () => this.goToWorst());
    controls.zoom.addEventListener("click", () => this.zoom(1));
    controls.help.addEventListener("click", () => this.toggleHelp());
    for (const [name, slider] of Object.entries(this.sliders)) {
      slider.addEventListener("input", () => { this.state.position[PLANES[name].n] = Number(slider.value); this.update(); });
    }
    for (const pane of this.panes) {
      const { canvas } = pane, pick = (event) => {
        const box = canvas.getBoundingClientRect(), layout = pane.layout(this.state), position = [...this.state.position];
        position[pane.plane.u] = layout.u(event.clientX - box.left - canvas.clientLeft);
        position[pane.plane.v] = layout.v(event.clientY - box.top - canvas.clientTop);
        this.goTo(position);
      };
      canvas.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        if (event.pointerType === "mouse") canvas.setPointerCapture(event.pointerId);
        pick(event);
      });
      canvas.addEventListener("pointermove", (event) => { if (canvas.hasPointerCapture(event.pointerId)) pick(event); });
      canvas.addEventListener("wheel", (event) => {
        if (event.ctrlKey) return;
        event.preventDefault();
        this.step(pane.plane, Math.sign(event.deltaY) * (pane.plane.up ? 1 : -1));
      }, { passive: false });
      canvas.addEventListener("focus", () => { this.focused = pane; });
    }
    root.addEventListener("keydown", (event) => this.key(event));
  }

  /** Moves across slices: positive to the left, back or head. */
  step({ n }, count) {
    const position = [...this.state.position];
    position[n] = Math.round(position[n]) + count;
    this.goTo(position);
  }

  goTo(position) {
    this.state.position = this.state.scene.held(position);
    this.update();
  }
  goToPoint(point) { this.goTo(this.state.scene.position(point)); }
  goToWorst() {
    const margin = this.state.scene.margins[0];
    if (margin) this.goToPoint(margin.worstPointLPS);
  }

  zoom(step) {
    const index = ZOOMS.indexOf(this.state.zoom) + step;
    this.state.zoom = ZOOMS[(index + ZOOMS.length) % ZOOMS.length];
    this.update();
  }

  toggleHelp() {
    const help = this.root.querySelector(".keys");
    help.hidden = !help.hidden;
    this.controls.help.setAttribute("aria-expanded", String(!help.hidden));
  }

  /** Single letters act only while the viewer has the focus, and never where text or numbers are typed. */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { target } = event, isSlider = target.type === "range", isTyped = target.type === "number" || target.tagName === "SELECT";
    if (isTyped) return;
    const plane = (this.focused ?? this.panes[0]).plane, letter = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const set = (name, property, value) => {
      const control = this.controls[name];
      if (control.disabled) return;
      control[property] = value;
      control.dispatchEvent(new Event("input"));
    };
    const flip = (name) => () => set(name, "checked", !this.controls[name].checked);
    const preset = (name) => () => {
      if ([...this.controls.window.options].some((option) => option.value === name && !option.disabled)) this.controls.window.value = name;
      this.applyWindow();
      this.update();
    };
    const move = (axis, count) => () => this.step({ n: axis }, count);
    const down = plane.up ? -1 : 1;
    const keys = {
      w: () => this.goToWorst(), o: flip("outlines"), c: flip("crosshair"), b: flip("beside"),
      f: () => set("fade", "value", this.state.fade === 0 ? 50 : this.state.fade < 1 ? 100 : 0),
      t: preset("soft"), l: preset("lung"), n: preset("bone"), a: preset("site"),
      "+": () => this.zoom(this.state.zoom === ZOOMS.at(-1) ? 0 : 1), "-": () => this.zoom(this.state.zoom === 1 ? 0 : -1),
      "?": () => this.toggleHelp(), h: () => this.toggleHelp(),
      1: () => this.panes[0].canvas.focus(), 2: () => this.panes[1].canvas.focus(), 3: () => this.panes[2].canvas.focus(),
      PageUp: () => this.step(plane, 1), PageDown: () => this.step(plane, -1),
    };
    if (!isSlider) {
      Object.assign(keys, event.shiftKey
        ? { ArrowLeft: move(plane.u, -1), ArrowRight: move(plane.u, 1), ArrowUp: move(plane.v, -down), ArrowDown: move(plane.v, down) }
        : { ArrowUp: move(plane.n, 1), ArrowDown: move(plane.n, -1), ArrowRight: move(plane.n, 1), ArrowLeft: move(plane.n, -1) });
    }
    const act = keys[letter];
    if (!act || (isSlider && letter.startsWith("Page"))) return;
    event.preventDefault();
    act();
  }

  /** Makes the tables from codes to grey values. The preset is for CT; an image without a fixed scale has its own window. */
  applyWindow() {
    const { controls, state } = this, { images } = state.scene, name = controls.window.value;
    const own = { level: Number(controls.level.value), width: Math.max(1e-6, Number(controls.width.value)) };
    const chosen = name === "own" ? own : WINDOWS[name];
    state.greys = images.map((image, index) => {
      const follows = index === 0 || (image.modality === "CT" && images[0].modality === "CT");
      const { level, width } = (follows && chosen) || (follows ? images[0].window : image.window), table = new Uint8ClampedArray(32768);
      for (let code = 1; code < table.length; code++) table[code] = (255 * (image.offset + code * image.step - level + width / 2)) / width;
      return table;
    });
    if (name !== "own") {
      const { level, width } = chosen ?? images[0].window, decimals = width < 10 ? 3 : 0;
      [controls.level.value, controls.width.value] = [level.toFixed(decimals), width.toFixed(decimals)];
    }
  }

  /** Brings controls, pictures and readout in line with the state. */
  update() {
    const { state, controls } = this, { scene } = state;
    controls.fade.value = Math.round(state.fade * 100);
    controls.fade.setAttribute("aria-valuetext", `${controls.fade.value} % planning scan`);
    controls.beside.checked = state.beside;
    controls.zoom.textContent = `Zoom ${state.zoom} ×`;
    this.root.classList.toggle("beside", state.beside);
    const point = scene.point(state.position);
    for (const [name, slider] of Object.entries(this.sliders)) {
      const { n, coordinate } = PLANES[name];
      slider.value = Math.round(state.position[n]);
      const place = `${coordinate} ${millimetres(point[n])}`;
      slider.setAttribute("aria-valuetext", `${place}, slice ${Number(slider.value) + 1} of ${scene.size[n]}`);
    }
    this.readOut(point);
    this.draw();
  }

  readOut(point) {
    const { scene, position } = this.state, parts = [`LPS ${point.map((value) => signed(value, 1)).join(", ")} mm`];
    for (const image of scene.images) {
      const value = scene.value(image, position);
      parts.push(`${image.name} ${value === null ? "not there" : `${signed(value, image.step < 0.1 ? 3 : 0)} ${image.unit}`.trim()}`);
    }
    const inside = scene.objects.filter((object) => scene.holds(object, position)).map((object) => object.name);
    parts.push(inside.length > 0 ? `in ${inside.join(", ")}` : "outside every outlined object");
    const text = parts.join(" · ");
    this.root.querySelector(".readout").textContent = text;
    // Read aloud once the point rests, not at every step.
    clearTimeout(this.announcement);
    this.announcement = setTimeout(() => { this.root.querySelector("[aria-live]").textContent = text; }, 400);
  }

  draw() {
    if (!this.state || this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = null;
      const { state } = this, one = state.scene.images.length === 1;
      for (const pane of this.panes) {
        pane.draw(state, pane.isBeside ? [0, 1] : one ? [1] : state.beside ? [1, 0] : [1 - state.fade, state.fade]);
        const { n, name, coordinate } = pane.plane;
        const place = `${coordinate} ${millimetres(state.scene.point(state.position)[n])}`, scan = pane.isBeside ? ", planning scan" : "";
        pane.canvas.setAttribute("aria-label", `${name} slice at ${place}${scan}`);
      }
    });
  }
}

/** A piece of an outline's line. */
function swatch({ colour, dash, width }) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), line = document.createElementNS(svg.namespaceURI, "line");
  for (const [name, value] of Object.entries({ width: 34, height: 12, "aria-hidden": "true" })) svg.setAttribute(name, value);
  const attributes = { x1: 2, x2: 32, y1: 6, y2: 6, stroke: colour, "stroke-width": width + 0.6, "stroke-dasharray": dash.join(" ") };
  for (const [name, value] of Object.entries(attributes)) line.setAttribute(name, value);
  svg.append(line);
  return svg;
}

/** A number with a true minus sign. */
function signed(value, decimals) {
  const text = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}
