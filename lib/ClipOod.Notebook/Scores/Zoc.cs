using System.Numerics.Tensors;

namespace ClipOod.Notebook;

/// <summary>
/// Zero-shot OOD detection by candidate words, with a fixed list of candidates: <b>a substitute</b>. The method itself writes candidates
/// for every image anew, with a caption decoder on CLIP's image features, which this library does not have (no caption decoder).
/// </summary>
/// <remarks>
/// Esmaeilpour et al. 2022 (arXiv:2109.02748); reference code: sesmae/ZOC. With a fixed list it is the score of NegLabel (Jiang et al. 2024,
/// arXiv:2403.20078) without its groups.
/// </remarks>
public static class Zoc
{
    /// <summary>The share of the ID classes in the softmax over ID classes and candidates.</summary>
    /// <param name="classCosines">Cosines of images and ID class texts, shape (N, K), each in [−1, 1].</param>
    /// <param name="candidateCosines">
    /// Cosines of the same images and candidate texts, shape (N, C), each in [−1, 1]. Leave out words that name an ID class, as the paper does;
    /// its prompt for both is "This is a photo of a {}".
    /// </param>
    /// <param name="logitScale">s, multiplies the cosines; 100 in the paper's code.</param>
    /// <returns>N scores in [0, 1]; higher = more ID.</returns>
    /// <exception cref="ArgumentException">The numbers of images differ, or a value is no cosine.</exception>
    public static IdScores Score(Matrix classCosines, Matrix candidateCosines, double logitScale = Scores.ClipLogitScale)
    {
        Scores.CheckCosines(classCosines, "ZOC", nameof(classCosines));
        Scores.CheckCosines(candidateCosines, "ZOC", nameof(candidateCosines));
        Scores.CheckScale(logitScale);
        if (candidateCosines.Rows != classCosines.Rows)
        {
            throw new ArgumentException(
                $"Got cosines of {candidateCosines.Rows} images and candidates, expected {classCosines.Rows} as of images and classes.", nameof(candidateCosines));
        }

        // Σ exp(class) / (Σ exp(class) + Σ exp(candidate)) is the sigmoid of the difference of the two sums' logarithms.
        double[] share = new double[classCosines.Rows];
        TensorPrimitives.Subtract(
            Scores.LogSumExp(classCosines.Scale(logitScale)), Scores.LogSumExp(candidateCosines.Scale(logitScale)), share);
        TensorPrimitives.Sigmoid<double>(share, share);
        return new IdScores("ZOC, fixed candidates", share);
    }

    /// <summary>The detectors of this file, each in its one configuration.</summary>
    internal static IReadOnlyList<Detector> Detectors { get; } =
    [
        new ImageDetector(
            new()
            {
                Key = "zoc",
                Name = "ZOC",
                Family = DetectorFamily.ZeroShot,
                Authors = "Esmaeilpour et al.",
                Title = "Zero-Shot Out-of-Distribution Detection Based on the Pre-trained Model CLIP",
                Year = 2022,
                Url = new Uri("https://arxiv.org/abs/2109.02748"),
                ReferenceCode = "sesmae/ZOC",
                Equation = "Σ over classes of softmax(100 s) over classes and candidate words",
                Needs = DetectorInputs.Features | DetectorInputs.Text | DetectorInputs.OodText,
                Member = "Zoc.Score",
                Notebook = 10,
                Golden = "negative_labels",
                Substitute = "a fixed list of candidate words in place of a caption decoder that writes them for each image",
            },
            fit => images => Score(fit.Cosines(images), Similarity.Cosines(images.Features, fit.Known.Words.Features), fit.Scale)),
    ];
}
