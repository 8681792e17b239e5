// A scene's packed data, unpacked. Axes 0, 1, 2 of a scene run to the patient's left, back and head; positions are voxels,
// points LPS millimetres.

/** The bytes of a packed block of the page. */
async function unpack(scene, blob) {
  const text = document.getElementById(`scene-${scene}-${blob}`).textContent;
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The codes of an image: low bytes, then high bytes, of folded differences from the mean of the left and the upper neighbour. */
function imageCodes(planes, [ni, nj, nk]) {
  const count = ni * nj * nk, codes = new Uint16Array(count);
  for (let index = 0, k = 0; k < nk; k++) {
    for (let j = 0; j < nj; j++) {
      for (let i = 0; i < ni; i++, index++) {
        const prediction = i > 0 ? (j > 0 ? (codes[index - 1] + codes[index - ni]) >> 1 : codes[index - 1]) : j > 0 ? codes[index - ni] : 0;
        const folded = planes[index] | (planes[count + index] << 8);
        codes[index] = prediction + (folded & 1 ? -((folded + 1) >> 1) : folded >> 1);
      }
    }
  }
  return codes;
}

/** The codes of a surface: differences from left + upper − upper left, modulo 256. */
function surfaceCodes(codes, [ni, nj, nk]) {
  for (let index = 0, k = 0; k < nk; k++) {
    for (let j = 0; j < nj; j++) {
      for (let i = 0; i < ni; i++, index++) {
        const left = i > 0 ? codes[index - 1] : 0, up = j > 0 ? codes[index - ni] : 0, corner = i > 0 && j > 0 ? codes[index - ni - 1] : 0;
        codes[index] += left + up - corner;
      }
    }
  }
  return codes;
}

class Scene {
  static async load(description, number) {
    const scene = Object.assign(new Scene(), description);
    await Promise.all([
      ...scene.images.map(async (image) => { image.codes = imageCodes(await unpack(number, image.blob), scene.size); }),
      ...scene.objects.map(async (object) => { object.codes = surfaceCodes(await unpack(number, object.blob), object.size); }),
      ...scene.margins.map(async (margin) => { margin.values = new Float32Array((await unpack(number, margin.blob)).buffer); }),
      scene.surface && unpack(number, scene.surface.vertices).then((bytes) => { scene.surface.vertices = new Float32Array(bytes.buffer); }),
      scene.surface && unpack(number, scene.surface.triangles).then((bytes) => { scene.surface.triangles = new Int32Array(bytes.buffer); }),
    ]);
    return scene;
  }

  point(position) { return position.map((value, axis) => this.originLPS[axis] + value * this.spacingMM[axis]); }
  position(point) { return point.map((value, axis) => (value - this.originLPS[axis]) / this.spacingMM[axis]); }
  /** The nearest position that the images hold. */
  held(position) { return position.map((value, axis) => Math.min(Math.max(value, 0), this.size[axis] - 1)); }
  voxel(position) {
    const [i, j, k] = this.held(position).map(Math.round);
    return i + this.size[0] * (j + this.size[1] * k);
  }
  /** The image's value at the nearest voxel; null beyond the scan. */
  value(image, position) {
    const code = image.codes[this.voxel(position)];
    return code === 0 ? null : image.offset + code * image.step;
  }
  /** Whether the nearest voxel's centre lies in the object. */
  holds(object, position) {
    const [i, j, k] = this.held(position).map((value, axis) => Math.round(value) - object.first[axis]);
    const [ni, nj, nk] = object.size;
    return i >= 0 && j >= 0 && k >= 0 && i < ni && j < nj && k < nk && object.codes[i + ni * (j + nj * k)] >= 128;
  }
}
