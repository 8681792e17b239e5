import ImagingCore

extension SpatialTransform {
    /// The volume that a ball is given by this motion over its own, less 1: the mean Jacobian determinant over its points.
    ///
    /// From differences over 1 mm at points `radiusMM` / 5 apart; exact for affine motions.
    func volumeChange(of ball: RegistrationFocus) -> Double {
        let steps = -5...5, halfMM = 0.5
        func slope(_ point: PatientPoint, _ direction: PatientVector) -> SIMD3<Double> {
            (self(point + halfMM * direction) - self(point + -halfMM * direction)).lps / (2 * halfMM)
        }
        var sum = 0.0, count = 0.0
        for k in steps {
            for j in steps {
                for i in steps where i * i + j * j + k * k <= 25 {
                    let point = ball.center + PatientVector(ball.radiusMM / 5 * SIMD3(Double(i), Double(j), Double(k)))
                    sum += Matrix3(
                        columns: slope(point, PatientVector(1, 0, 0)), slope(point, PatientVector(0, 1, 0)),
                        slope(point, PatientVector(0, 0, 1))).determinant
                    count += 1
                }
            }
        }
        return sum / count - 1
    }
}
