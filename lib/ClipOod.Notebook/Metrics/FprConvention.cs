namespace ClipOod.Notebook;

/// <summary>
/// How the false-positive rate at a true-positive rate of 95 % (FPR95) is read off the ROC points. The published
/// numbers of different papers follow different ones, and the values differ, so every FPR95 here names its convention.
/// ROC points are taken at the distinct scores, from the most to the least positive, tied scores entering together;
/// the origin (0, 0) comes first.
/// </summary>
/// <remarks>
/// With ID positive, FPR95 is the share of OOD images accepted when 95 % of the ID images are accepted; with OOD
/// positive, it is the share of ID images rejected when 95 % of the OOD images are rejected. They are different
/// quantities: never put both in one column.
/// </remarks>
public enum FprConvention
{
    /// <summary>
    /// ID positive; the first point (largest threshold) whose TPR is at least 0.95. The textbook definition and the
    /// default of this library.
    /// </summary>
    FirstAtLeast,

    /// <summary>
    /// ID positive; the FPR interpolated linearly at TPR = 0.95. Where points lie exactly at 0.95, the one with the
    /// largest FPR counts, as in numpy.interp. Used by CLIPN and PLP. (PLP also returns 0 where every TPR is below 0.95
    /// and the smallest FPR where every one is above; with the points (0, 0) and (1, 1) on the curve neither occurs.)
    /// </summary>
    Interp,

    /// <summary>
    /// ID positive; the threshold whose recall (TPR) is closest to 0.95, which may be below it. Among equally close
    /// ones the one with the highest recall counts, then the one with the largest FPR; only at recall 1 the smallest
    /// FPR counts, since the reference stops at the first threshold that accepts every ID image.
    /// Used by MCM, GL-MCM, LoCoOp, NegLabel, CSP, EOE and SeTAR.
    /// </summary>
    NearestRecall,

    /// <summary>
    /// OOD positive; the first point whose TPR is at least 0.95 among those left after dropping the points at which
    /// neither count bends (scikit-learn's drop_intermediate). Used by OpenOOD and OpenOOD-VLM.
    /// </summary>
    OpenOod,

    /// <summary>OOD positive; the first point whose TPR is at least 0.95, none dropped. Used by pytorch-ood.</summary>
    PytorchOod,
}

/// <summary>Which images a metric calls positive.</summary>
public enum Positive
{
    /// <summary>In-distribution images are positive: found when their score is high ("AUPR-in").</summary>
    Id,

    /// <summary>Out-of-distribution images are positive: found when their score is low ("AUPR-out").</summary>
    Ood,
}
