namespace ClipOod.Notebook;

/// <summary>
/// GL-MCM: MCM of the whole image plus the best MCM of any of its patches, so that an ID object beside others still counts.
/// </summary>
/// <remarks>
/// Miyai et al. 2023 (arXiv:2304.04521); reference code: AtsuMiyai/GL-MCM, utils/detection_util.py. A patch's feature is what the last
/// block's values, without attention between patches, give after CLIP's norm and projection, divided by its own norm.
/// </remarks>
public static class GlMcm
{
    /// <summary>max softmax of the image plus λ·max over patches and classes of the softmax of each patch.</summary>
    /// <param name="globalCosines">Cosines of images and classes, shape (N, K), each in [−1, 1].</param>
    /// <param name="localCosines">
    /// Cosines of patches and classes, shape (N, P, K) as N·P rows: the P patches of the first image, then those of the second, and so on.
    /// </param>
    /// <param name="lambda">λ, at least 0, weighs the patches; 1 in the paper. 0 leaves MCM.</param>
    /// <param name="temperature">T, divides the cosines; 1 in the paper.</param>
    /// <returns>N scores in [(1+λ)/K, 1+λ]; higher = more ID.</returns>
    /// <exception cref="ArgumentException">
    /// A value is no cosine, the numbers of classes differ, or the patches do not share out evenly among the images.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">λ is negative, or the temperature is not greater than 0.</exception>
    public static IdScores Score(Matrix globalCosines, Matrix localCosines, double lambda = 1, double temperature = 1)
    {
        ArgumentNullException.ThrowIfNull(globalCosines);
        ArgumentNullException.ThrowIfNull(localCosines);
        if (!(lambda >= 0) || double.IsInfinity(lambda))
        {
            throw new ArgumentOutOfRangeException(nameof(lambda), lambda, "Expected a finite number of at least 0: it weighs the patches.");
        }

        if (globalCosines.Columns != localCosines.Columns)
        {
            throw new ArgumentException(
                $"Got patches compared with {localCosines.Columns} classes, expected {globalCosines.Columns} as the images.", nameof(localCosines));
        }

        double[] whole = Scores.Mcm(globalCosines, temperature).ToArray();
        double[] local = Local(localCosines, globalCosines.Rows, temperature).ToArray();
        return new IdScores("GL-MCM", [.. whole.Select((score, i) => score + (lambda * local[i]))]);
    }

    /// <summary>The patches alone (L-MCM): max over patches and classes of the softmax of each patch.</summary>
    /// <param name="localCosines">Cosines of patches and classes, shape (N, P, K) as N·P rows, image after image.</param>
    /// <param name="images">N.</param>
    /// <param name="temperature">T, divides the cosines; 1 in the paper.</param>
    /// <returns>N scores in [1/K, 1]; higher = more ID.</returns>
    /// <exception cref="ArgumentException">A value is no cosine, or the patches do not share out evenly among the images.</exception>
    internal static IdScores Local(Matrix localCosines, int images, double temperature = 1)
    {
        ArgumentNullException.ThrowIfNull(localCosines);
        if (images < 1 ? localCosines.Rows > 0 : localCosines.Rows == 0 || localCosines.Rows % images != 0)
        {
            throw new ArgumentException(
                $"Got {localCosines.Rows} patches of {images} images, expected as many of each image.", nameof(localCosines));
        }

        double[] patches = Scores.Mcm(localCosines, temperature).ToArray();
        return new IdScores("L-MCM", [.. patches.Chunk(Math.Max(1, patches.Length / Math.Max(1, images))).Select(chunk => chunk.Max())]);
    }

    /// <summary>The detectors of this file, each in its one configuration.</summary>
    internal static IReadOnlyList<Detector> Detectors { get; } =
    [
        new ImageDetector(
            new()
            {
                Key = "gl-mcm",
                Name = "GL-MCM",
                Family = DetectorFamily.ZeroShot,
                Authors = "Miyai et al.",
                Title = "GL-MCM: Global and Local Maximum Concept Matching for Zero-Shot Out-of-Distribution Detection",
                Year = 2025,
                Url = new Uri("https://arxiv.org/abs/2304.04521"),
                ReferenceCode = "AtsuMiyai/GL-MCM",
                Equation = "max softmax(s) + λ max over patches of max softmax(s of the patch), λ = 1",
                Needs = DetectorInputs.Features | DetectorInputs.Text | DetectorInputs.Pixels | DetectorInputs.PatchTokens,
                Member = "GlMcm.Score",
                Notebook = 9,
                Golden = "glmcm",
                Hyperparameters =
                [
                    new("lambda", 1, 1, "the paper's"),
                ],
            },
            fit => images => Score(
                fit.Cosines(images), Similarity.Cosines(fit.Known.Encoder!.EncodeLocals(fit.Pixels(images)), fit.Text), fit["lambda"])),
    ];
}
