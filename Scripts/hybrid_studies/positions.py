"""Where lesions can lie in the real scans: chosen by eye, as (column, row, slice) of each scan."""

from dataclasses import dataclass

# Folder below the real data, and a homogeneous region (columns, rows, slices) whose noise is taken as the scan's.
SCANS = {
    "abdomen": ("ct-abdomen-petct", ((146, 194), (212, 260), (84, 90))),
    "thorax": ("ct-thorax-petct", ((150, 198), (262, 310), (4, 9))),
    "shoulder": ("ct-mr-pet-rtstruct-sarcoma/CT/image", ((66, 96), (55, 85), (21, 26))),
    "shoulder-mr": ("ct-mr-pet-rtstruct-sarcoma/MR_T1/image", ((50, 70), (36, 52), (15, 20))),
    "liver-mr": ("mr-liver-coronal", ((45, 85), (85, 120), (22, 25))),
}


@dataclass(frozen=True)
class Position:
    """A place, the way (LPS, outwards) by which probes come, and how large a lesion fits."""

    scan: str
    site: str
    at: tuple
    way: tuple
    diameters: tuple
    jitter_mm: float = 4.0


POSITIONS = {
    "liver-right": [
        Position("abdomen", "liver", (152, 300, 85), (-0.85, 0.5, 0.1), (22, 34)),
        Position("abdomen", "liver", (150, 250, 83), (-0.95, -0.25, -0.1), (20, 32)),
        Position("abdomen", "liver", (160, 290, 77), (-0.95, 0.3, 0), (20, 30)),
        Position("abdomen", "liver", (175, 318, 86), (-0.3, 0.95, 0), (20, 30))],
    "liver-left": [
        Position("abdomen", "liver", (222, 222, 86), (0.1, -0.99, 0.05), (18, 26)),
        Position("abdomen", "liver", (195, 218, 84), (-0.15, -0.98, 0), (18, 28))],
    "liver-capsule": [
        Position("abdomen", "liver", (126, 268, 82), (-0.95, 0.1, -0.3), (18, 28), 2.0),
        Position("abdomen", "liver", (168, 332, 80), (-0.3, 0.95, -0.1), (18, 26), 2.0),
        Position("abdomen", "liver", (142, 238, 77), (-0.95, -0.2, -0.2), (16, 22), 2.0)],
    "liver-dome": [
        Position("thorax", "liver", (185, 285, 12), (-0.8, 0.5, -0.3), (20, 30)),
        Position("thorax", "liver", (175, 295, 7), (-0.9, 0.4, 0), (20, 32)),
        Position("abdomen", "liver", (165, 262, 92), (-0.7, -0.4, -0.55), (20, 30))],
    "kidney": [
        Position("abdomen", "kidney", (158, 332, 60), (-0.35, 0.93, 0.05), (16, 26), 2.5),
        Position("abdomen", "kidney", (338, 328, 60), (0.45, 0.9, 0), (16, 26), 2.5),
        Position("abdomen", "kidney", (172, 320, 54), (-0.25, 0.97, -0.05), (14, 22), 2.5),
        Position("abdomen", "kidney", (330, 340, 65), (0.3, 0.95, 0), (16, 24), 2.5)],
    "muscle": [
        Position("abdomen", "soft-tissue", (196, 305, 40), (-0.5, 0.87, 0), (16, 24), 3.0),
        Position("abdomen", "soft-tissue", (288, 303, 41), (0.5, 0.87, 0), (16, 24), 3.0),
        Position("abdomen", "soft-tissue", (290, 355, 47), (0.2, 0.98, 0), (18, 26), 3.0),
        Position("shoulder", "soft-tissue", (80, 65, 22), (0.8, 0.5, 0.1), (18, 28), 3.0),
        Position("shoulder", "soft-tissue", (75, 75, 28), (0.7, 0.7, -0.1), (18, 26), 3.0)],
    "vertebra": [
        Position("abdomen", "spine", (240, 307, 51), (-0.42, 0.9, 0), (14, 20), 1.5),
        Position("abdomen", "spine", (245, 305, 42), (0.42, 0.9, 0), (14, 20), 1.5),
        Position("abdomen", "spine", (240, 318, 74), (0.45, 0.89, 0), (12, 18), 1.5)],
    "lung-solid": [
        Position("thorax", "lung", (182, 302, 37), (-0.4, 0.9, 0.1), (10, 22)),
        Position("thorax", "lung", (172, 285, 28), (-0.9, 0.4, 0), (10, 22)),
        Position("thorax", "lung", (300, 262, 32), (0.7, -0.7, 0), (10, 20)),
        Position("thorax", "lung", (312, 285, 26), (0.9, 0.4, 0), (10, 20))],
    "lung-part-solid": [
        Position("thorax", "lung", (172, 287, 29), (-0.9, 0.4, 0), (18, 28)),
        Position("thorax", "lung", (304, 264, 31), (0.7, -0.7, 0), (18, 26)),
        Position("thorax", "lung", (180, 300, 38), (-0.4, 0.9, 0.1), (18, 28))],
    "lung-pleura": [
        Position("thorax", "lung", (153, 296, 32), (-0.9, 0.42, 0), (12, 22), 2.0),
        Position("thorax", "lung", (318, 296, 34), (0.9, 0.42, 0), (12, 22), 2.0)],
    "lung-vessel": [
        Position("thorax", "lung", (178, 268, 31), (-0.85, -0.5, 0), (10, 20), 2.0),
        Position("thorax", "lung", (190, 292, 31), (-0.3, 0.95, 0), (10, 18), 2.0),
        Position("thorax", "lung", (182, 262, 27), (-0.7, -0.7, 0), (10, 20), 2.0)],
    "liver-mr": [
        Position("liver-mr", "liver", (70, 92, 14), (-0.95, 0, -0.2), (26, 38), 5.0),
        Position("liver-mr", "liver", (72, 90, 20), (-0.8, 0.6, 0), (26, 38), 5.0),
        Position("liver-mr", "liver", (68, 95, 17), (-0.95, 0.2, 0.1), (26, 36), 5.0)],
    "muscle-mr": [
        Position("shoulder-mr", "soft-tissue", (56, 40, 17), (0.85, 0.5, 0), (16, 22), 2.0),
        Position("shoulder-mr", "soft-tissue", (50, 45, 20), (0.7, 0.7, 0), (16, 22), 2.0)],
}
