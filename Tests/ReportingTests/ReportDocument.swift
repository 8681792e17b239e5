import ImagingCore

@testable import Reporting

/// A report in which every kind of entry occurs, with awkward numbers and text.
func exampleReport() throws -> CaseReport {
    let geometry = try GridGeometry(size: GridSize(512, 512, 120), spacing: SIMD3(0.7421875, 0.7421875, 2.5), origin: PatientPoint(0, 0, 0))
    return CaseReport(
        case: .init(id: "liver-01", site: "liver", profile: "liver"),
        inputs: [
            .init(role: "planning", seriesInstanceUID: "1.2.3", modality: "CT", geometry: geometry, sha256: "ab12",
                  findings: [Finding(.info, "odd-name", "Series \"<script>alert('x')</script>\" has no date.")]),
        ],
        tumours: [.init(id: "T1", volumeML: 0.1 + 0.2, longestDiameterMM: 26.02, centroidLPS: PatientPoint(-40, -0.00001, 400.12345))],
        probes: [.init(id: "P1", tipLPS: PatientPoint(1, 2, 3), tailLPS: PatientPoint(1, 2, 103), source: "detected")],
        ice: .init(volumeML: .nan, source: "segmented"),
        registration: .init(
            rigid: .init(.identity), quality: .init(method: "shared-frame-of-reference", trusted: true, expectedErrorMM: nil)),
        margins: [
            .init(
                tumour: "T1", zone: "visible-ice", minimumMarginMM: -2.10004, minimumMarginIntervalMM: -3.4...(.infinity),
                worstPointLPS: PatientPoint(1.5, 2.5, 3.5),
                surfaceFraction: .init(below0: 0.25, from0to5: 0.75, from5to10: 0, atLeast10: 0),
                tumourCoverage: 0.99974, residualVolumeML: 0.002, shellCoverage: [.init(marginMM: 1, fraction: 1.0 / 3)]),
            .init(
                tumour: "T1", zone: "isotherm-40", minimumMarginMM: -.infinity, minimumMarginIntervalMM: nil, worstPointLPS: nil,
                surfaceFraction: nil,
                tumourCoverage: nil, residualVolumeML: nil, shellCoverage: []),
        ],
        structures: [
            .init(
                name: "bile duct & \"neck\"", zone: "visible-ice", minimumDistanceMM: 7.25, minimumDistanceIntervalMM: 5.5...9,
                nearestPointLPS: PatientPoint(1, 1, 1),
                overlapVolumeML: 0, limitMM: 5, status: .met),
        ],
        verdict: .init(status: .notMet, reasons: ["T1: −2.1 mm, and 5.0 mm is required."]),
        findings: [Finding(.warning, "thick-slices", "Slices are 2.5 mm thick.", remedy: "Reconstruct thinner ones.")],
        timingsS: ["segment": 1.23456, "load": 0.2],
        provenance: .init(
            version: "0.1.0", dcmtk: "3.6.7", runID: "r1", created: "2026-11-21T01:12:00Z",
            parameters: ["criterion": ["marginMM": 5, "setbackMM": 0.123456789]], inputSHA256: ["planning": "ab12"]))
}

/// The document that the example must give.
let exampleDocument = #"""
    {
      "schema": "icemargin.report/1",
      "case": {
        "id": "liver-01",
        "site": "liver",
        "profile": "liver",
        "intent": "curative"
      },
      "patient": null,
      "inputs": [
        {
          "role": "planning",
          "seriesInstanceUID": "1.2.3",
          "modality": "CT",
          "size": [512, 512, 120],
          "spacingMM": [0.7421875, 0.7421875, 2.5],
          "sha256": "ab12",
          "findings": [
            {
              "severity": "info",
              "code": "odd-name",
              "message": "Series \"\u003cscript>alert('x')\u003c/script>\" has no date.",
              "remedy": ""
            }
          ]
        }
      ],
      "tumours": [
        {
          "id": "T1",
          "volumeML": 0.3,
          "longestDiameterMM": 26.02,
          "centroidLPS": [-40, 0, 400.1234]
        }
      ],
      "probes": [
        {
          "id": "P1",
          "tipLPS": [1, 2, 3],
          "tailLPS": [1, 2, 103],
          "source": "detected"
        }
      ],
      "ice": {
        "volumeML": null,
        "source": "segmented",
        "volumeInOrganML": null,
        "organShare": null
      },
      "registration": {
        "rigid": {
          "matrix": [
            [1, 0, 0, 0],
            [0, 1, 0, 0],
            [0, 0, 1, 0],
            [0, 0, 0, 1]
          ]
        },
        "deformable": null,
        "quality": {
          "method": "shared-frame-of-reference",
          "trusted": true,
          "status": null,
          "reasons": [],
          "measures": {},
          "expectedErrorMM": null
        }
      },
      "simulation": null,
      "forecast": null,
      "plan": null,
      "margins": [
        {
          "tumour": "T1",
          "zone": "visible-ice",
          "zoneSource": null,
          "minimumMarginMM": -2.1,
          "minimumMarginIntervalMM": [-3.4, null],
          "probabilityMet": null,
          "surfaceCertainty": null,
          "worstPointLPS": [1.5, 2.5, 3.5],
          "surfaceFraction": {
            "below0": 0.25,
            "from0to5": 0.75,
            "from5to10": 0,
            "atLeast10": 0
          },
          "tumourCoverage": 0.99974,
          "tumourCoverageInterval": null,
          "residualVolumeML": 0.002,
          "shellCoverage": [
            {
              "marginMM": 1,
              "fraction": 0.333333
            }
          ],
          "shortfalls": null,
          "capsule": null
        },
        {
          "tumour": "T1",
          "zone": "isotherm-40",
          "zoneSource": null,
          "minimumMarginMM": null,
          "minimumMarginIntervalMM": null,
          "probabilityMet": null,
          "surfaceCertainty": null,
          "worstPointLPS": null,
          "surfaceFraction": null,
          "tumourCoverage": null,
          "tumourCoverageInterval": null,
          "residualVolumeML": null,
          "shellCoverage": [],
          "shortfalls": null,
          "capsule": null
        }
      ],
      "structures": [
        {
          "name": "bile duct & \"neck\"",
          "zone": "visible-ice",
          "minimumDistanceMM": 7.25,
          "minimumDistanceIntervalMM": [5.5, 9],
          "nearestPointLPS": [1, 1, 1],
          "overlapVolumeML": 0,
          "lowestTemperatureC": null,
          "timeBelow": null,
          "limitMM": 5,
          "status": "met"
        }
      ],
      "verdict": {
        "status": "not-met",
        "reasons": ["T1: −2.1 mm, and 5.0 mm is required."]
      },
      "findings": [
        {
          "severity": "warning",
          "code": "thick-slices",
          "message": "Slices are 2.5 mm thick.",
          "remedy": "Reconstruct thinner ones."
        }
      ],
      "timingsS": {
        "load": 0.2,
        "segment": 1.235
      },
      "provenance": {
        "version": "0.1.0",
        "dcmtk": "3.6.7",
        "libraries": {},
        "runID": "r1",
        "created": "2026-11-21T01:12:00Z",
        "parameters": {
          "criterion": {
            "marginMM": 5,
            "setbackMM": 0.123456789
          }
        },
        "inputSHA256": {
          "planning": "ab12"
        }
      }
    }

    """#
