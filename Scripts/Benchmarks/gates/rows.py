"""What the simulation is held against, and the descriptions that pose it.

Similarity solutions and steady radii are closed forms, evaluated to 30 digits; needles come from an axisymmetric computation on cells of at
most 0.08 mm (±0.1 mm); Littrup's gels are published (2009, PMC2762356).
"""

from math import cos, pi, sin, sqrt

_TISSUE = "density: 1050, specificHeat: 3600, conductivity: 0.5, frozenSpecificHeat: 1800, frozenConductivity: 2"
MEDIA = {
    "W": "density: 1000, specificHeat: 4186, conductivity: 0.58, frozenSpecificHeat: 2050, frozenConductivity: 2.22, latentHeat: 333.6, freezing: [0, 0]",
    "T": _TISSUE + ", latentHeat: 250, freezing: [-1, -1]",
    "M": _TISSUE + ", mushConductivity: 1.25, latentHeat: 250, freezing: [-1, -8]",
}


def _medium(name, more=""):
    return f"tissue: medium\ndefine:\n  - {{name: medium, {MEDIA[name]}{more}}}\n"


SIMILARITY = [
    {"name": "planar W", "source": "plane", "medium": "W", "cold": -20, "start": 20,
     "radii": {60: {0: 3.29978}, 300: {0: 7.37854}, 600: {0: 10.4348}, 1500: {0: 16.4989}},
     "profile": {5: -10.3138, 10: -0.811789, 15: 8.30168, 20: 14.2209, 30: 19.0445}},
    {"name": "planar T", "source": "plane", "medium": "T", "cold": -140, "start": 37,
     "radii": {60: {-1: 8.15975, -20: 6.87866, -40: 5.61979}, 600: {-1: 25.8034, -20: 21.7522, -40: 17.7713},
               1500: {-1: 40.7987, -20: 34.3933, -40: 28.0989}},
     "profile": {5: -110.790, 10: -82.1483, 15: -54.6108, 20: -28.6501, 30: 20.8286}},
    {"name": "planar M", "source": "plane", "medium": "M", "cold": -140, "start": 37,
     "radii": {60: {-1: 8.15816, -8: 7.70052, 0: 8.20206, -20: 6.89968, -40: 5.63625},
               600: {-1: 25.7984, -8: 24.3512, 0: 25.9372, -20: 21.8187, -40: 17.8234},
               1500: {-1: 40.7908, -8: 38.5026, 0: 41.0103, -20: 34.4984, -40: 28.1813}},
     "profile": {5: -110.868, 10: -82.3037, 15: -54.8402, 20: -28.9493, 30: 20.8442}},
    {"name": "line T", "source": "line", "medium": "T", "start": 37,
     "radii": {60: {-1: 3.48504, -20: 1.88690, -40: 1.00160}, 600: {-1: 11.0207, -20: 5.96689, -40: 3.16735},
               1500: {-1: 17.4252, -20: 9.43448, -40: 5.00802}},
     "profile": {5: -25.5613, 10: -3.96200, 15: 17.9282, 20: 29.5222, 30: 36.1641}},
    {"name": "line M", "source": "line", "medium": "M", "start": 37,
     "radii": {60: {-1: 3.62386, -8: 3.02984, 0: 3.67351, -20: 2.05837, -40: 1.09159},
               300: {-1: 8.10319, -8: 6.77493, 0: 8.21422, -20: 4.60266, -40: 2.44086},
               600: {-1: 11.4596, -8: 9.58120, 0: 11.6167, -20: 6.50914, -40: 3.45190},
               1500: {-1: 18.1193, -8: 15.1492, 0: 18.3676, -20: 10.2919, -40: 5.45794}},
     "profile": {5: -28.2879, 10: -6.00393, 15: 16.4564, 20: 28.9451, 30: 36.0996}},
    {"name": "point T", "source": "point", "medium": "T", "start": 37,
     "radii": {600: {-1: 11.6205, -20: 7.90642, -40: 5.94222}}, "profile": {5: -55.2742, 10: -7.49167, 15: 19.5312, 20: 31.5164, 30: 36.5604}},
    {"name": "point M", "source": "point", "medium": "M", "start": 37,
     "radii": {60: {-1: 3.76037, -8: 3.31664, 0: 3.79674, -20: 2.61720, -40: 1.94364},
               300: {-1: 8.40845, -8: 7.41622, 0: 8.48977, -20: 5.85223, -40: 4.34612},
               600: {-1: 11.8913, -8: 10.4881, 0: 12.0063, -20: 8.27631, -40: 6.14634},
               1500: {-1: 18.8019, -8: 16.5832, 0: 18.9837, -20: 13.0860, -40: 9.71821}},
     "profile": {5: -57.9588, 10: -10.1762, 15: 18.3962, 20: 31.1601, 30: 36.5318}},
]


def similarity(case, isotherms, directions, rays, spacing=1, timeStep=None):
    times = sorted(set(case["radii"]) | ({600} if case.get("profile") else set()))
    # A place that favours no cell.
    at = {"plane": (0, 1.5, 1.5), "line": (0.2, -0.3, 1.5), "point": (0.2, -0.3, 0.1)}[case["source"]]
    where = {
        "plane": "grid: {core: [[0, 0, 0], [60, 3, 3]], reach: {x: [0, 150], y: 0, z: 0}, spacing: %g}\nboundary: {y: insulated, z: insulated}\n"
                 "sources: [{type: plane, side: x-low, temperature: %g}]\n" % (spacing, case.get("cold", 0)),
        "line": "grid: {core: [[-34, -34, 0], [34, 34, 3]], reach: {x: 90, y: 90, z: 0}, spacing: %g}\nboundary: {z: insulated}\n"
                "sources: [{type: line, at: [0.2, -0.3, 0], direction: [0, 0, 1], wattsPerMetre: 400}]\n" % spacing,
        "point": "grid: {core: [[-34, -34, -34], [34, 34, 34]], reach: 60, spacing: %g}\n"
                 "sources: [{type: point, at: [0.2, -0.3, 0.1], wattsPerRootSecond: 0.5}]\n" % spacing,
    }[case["source"]]
    step = f"timeStep: {timeStep}\n" if timeStep else ""
    return (f"schema: icemargin.simulation/1\n{where}{_medium(case['medium'])}start: {case['start']}\n{step}outputTimes: {times}\n"
            f"isotherms: {list(isotherms)}\nrays:\n{rays(at, directions)}")


def _steady(name, shape, perfusion, radii, seconds, reach=40):
    return {"name": f"{name}, w {perfusion}", "shape": shape, "perfusion": perfusion, "radii": dict(zip((-1, -20, -40), radii)), "seconds": seconds, "reach": reach}


def _ball_power(radius, perfusion):
    """Of a ball whose ice has this radius in the end: 4π k ΔT (R + m R²), W."""
    metres, m = radius / 1000, sqrt(1060 * 3639 * perfusion / 0.5)
    return 4 * pi * 0.5 * 38 * (metres + m * metres * metres)


STEADY = [
    _steady("cylinder of 0.735 mm at −140 °C", "temperature: -140, radius: 0.735", 0.0035, (22.6171, 14.9882, 9.06789), 14400),
    _steady("cylinder of 0.735 mm at −140 °C", "temperature: -140, radius: 0.735", 0.0155, (13.0512, 9.23924, 6.05915), 5400),
    _steady("cylinder of 0.735 mm at −140 °C", "temperature: -140, radius: 0.735", 0.0674, (7.77359, 5.85634, 4.14384), 5400),
    _steady("cylinder of 1.2 mm at −100 °C", "temperature: -100, radius: 1.2", 0.0155, (11.5726, 7.87403, 4.91975), 5400),
    _steady("line of 400 W/m", "wattsPerMetre: 400", 0.0155, (8.33969, 4.98578, 2.65985), 3600),
    _steady("line of 400 W/m", "wattsPerMetre: 400", 0.0674, (3.99932, 2.39094, 1.27554), 3600),
    _steady("point of 10 W", "watts: 10", 0.0155, (9.65406, 6.90902, 5.12811), 2400, 20),
    _steady("point of 10 W", "watts: 10", 0.0035, (13.2097, 8.55747, 5.98363), 5400, 40),
    # Balls of given temperature, by the power that they take in the end.
    _steady("ball of 1.5 mm at −140 °C, by its power", f"watts: {_ball_power(7.49504, 0.0155):.6f}", 0.0155, (7.49504, 5.06457, 3.62775), 2400, 20),
    _steady("ball of 5 mm at −140 °C, by its power", f"watts: {_ball_power(12.2821, 0.0674):.6f}", 0.0674, (12.2821, 10.4540, 8.84580), 2400, 20),
]


def steady(case, directions, rays):
    is_point = "watts:" in case["shape"]
    at = (-0.2, 0.45, 0.1) if is_point else (0.3, 0.15, 1.5)
    half, reach = (18, case["reach"]) if is_point else (26, case["reach"])
    grid = (f"grid: {{core: [[-{half}, -{half}, -{half}], [{half}, {half}, {half}]], reach: {reach}}}\n" if is_point else
            f"grid: {{core: [[-{half}, -{half}, 0], [{half}, {half}, 3]], reach: {{x: {reach}, y: {reach}, z: 0}}}}\nboundary: {{z: insulated}}\n")
    perfusion = f", perfusion: {case['perfusion']}"
    source = "type: point" if is_point else "type: line, direction: [0, 0, 1]"
    return (f"schema: icemargin.simulation/1\n{grid}{_medium('M', perfusion)}"
            f"sources: [{{{source}, at: {list(at[:2]) + [at[2] if is_point else 0]}, {case['shape']}}}]\n"
            f"outputTimes: [{case['seconds']}]\nisotherms: [-1, -20, -40]\nrays:\n{rays(at, directions)}")


def _sizes(*triples):
    return {isotherm: (width, beyond, beyond) for isotherm, (width, beyond) in zip((0, -20, -40), triples)}


POSES = [(0.48, -0.36, 0.8), (0, 0, 1), (0.7071, 0.7071, 0), (0.9, 0.1, -0.42), (-0.3, 0.95, 0.1), (0.577, 0.577, 0.577)]
_NOW, _LOWEST = "isotherms", "lowestIsotherms"
NEEDLES = [
    {"name": "17 G, 30 mm, w 0", "diameter": 1.47, "length": 30, "perfusion": 0, "rise": 0, "protocol": "{freeze: 10}", "sizes": [
        (60, _NOW, _sizes((12.56, 3.98), (9.31, 2.43), (6.80, 1.53))), (300, _NOW, _sizes((23.35, 6.97), (15.81, 3.72), (10.51, 2.10))),
        (600, _NOW, _sizes((30.10, 8.95), (19.38, 4.48), (12.35, 2.40)))]},
    {"name": "17 G, 30 mm, w 0.0155", "diameter": 1.47, "length": 30, "perfusion": 0.0155, "rise": 0, "protocol": "{freeze: 10}", "sizes": [
        (600, _NOW, _sizes((22.30, 5.95), (15.65, 3.43), (10.44, 2.00)))]},
    {"name": "17 G, 30 mm, w 0.0674", "diameter": 1.47, "length": 30, "perfusion": 0.0674, "rise": 0, "protocol": "{freeze: 10}", "sizes": [
        (600, _NOW, _sizes((15.22, 3.94), (11.40, 2.52), (8.08, 1.59)))]},
    {"name": "2.4 mm, 35 mm, w 0", "diameter": 2.4, "length": 35, "perfusion": 0, "rise": 0, "protocol": "{freeze: 10}", "sizes": [
        (600, _NOW, _sizes((33.49, 10.29), (22.86, 5.63), (15.43, 3.25)))]},
    {"name": "2.4 mm, 35 mm, w 0.0674", "diameter": 2.4, "length": 35, "perfusion": 0.0674, "rise": 0, "protocol": "{freeze: 10}", "sizes": [
        (600, _NOW, _sizes((17.94, 4.84), (14.00, 3.29), (10.41, 2.18)))]},
    {"name": "17 G 10–5–10, w 0.0155, rise", "diameter": 1.47, "length": 30, "perfusion": 0.0155, "rise": 0.0057,
     "protocol": "{freeze: 10, thaw: 5, refreeze: 10}", "sizes": [
         (600, _NOW, _sizes((26.48, 7.36), (19.69, 4.59), (13.70, 2.75))), (900, _NOW, {0: (13.83, -2.03, -2.04)}),
         (1500, _LOWEST, _sizes((26.69, 7.40), (19.83, 4.61), (13.78, 2.76)))]},
    {"name": "17 G 10–5–10, w 0, rise", "diameter": 1.47, "length": 30, "perfusion": 0, "rise": 0.0057,
     "protocol": "{freeze: 10, thaw: 5, refreeze: 10}", "sizes": [
         (600, _NOW, _sizes((34.23, 10.57), (23.73, 5.87), (15.89, 3.28))), (1500, _LOWEST, _sizes((42.34, 13.23), (27.86, 6.97), (18.00, 3.72)))]},
]


def needle(case, direction=POSES[0]):
    norm = sqrt(sum(c * c for c in direction))
    unit = [c / norm for c in direction]
    tip = [c - case["length"] / 2 * u for c, u in zip((0.3, -0.2, 0.4), unit)]
    tail = [t + 120 * u for t, u in zip(tip, unit)]
    more = f", perfusion: {case['perfusion']}, frozenConductivityRise: {case['rise']}"
    return (f"schema: icemargin.simulation/1\ngrid: {{core: [[-30, -30, -30], [30, 30, 30]], reach: 60}}\n"
            f"{_medium('M', more)}"
            f"probes: [{{name: needle, tip: {tip}, tail: {tail}, diameter: {case['diameter']}, activeLength: {case['length']}, coolant: -140}}]\n"
            f"protocol: {case['protocol']}\noutputTimes: {[seconds for seconds, _, _ in case['sizes']]}\nisotherms: [0, -20, -40]\n")


LITTRUP = [(1, 12, 13), (2, 33, 46), (3, 41, 51), (4, 49, 56)]


def littrup(count, rays):
    length = 35
    ring = 0 if count == 1 else 10 / sin(pi / count)
    places = [(ring * cos(2 * pi * n / count), ring * sin(2 * pi * n / count)) for n in range(count)]
    probes = "".join(
        f"  - {{model: argon-2.4mm, tip: [{x}, {y}, {-length / 2}], tail: [{x}, {y}, 100]}}\n" for x, y in places)
    around = [(cos(2 * pi * n / 72), sin(2 * pi * n / 72), 0) for n in range(72)]
    half = ring + 24
    return (f"schema: icemargin.simulation/1\ngrid: {{core: [[{-half}, {-half}, -40], [{half}, {half}, 40]], reach: 50}}\n"
            f"tissue: agar-gel\nstart: 39\nprobes:\n{probes}protocol: {{freeze: 15}}\nisotherms: [0, -30]\nrays:\n{rays((0, 0, 0), around)}")
