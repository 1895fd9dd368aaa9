using System.Numerics.Tensors;

namespace ClipOod.Notebook;

/// <summary>What <see cref="Clipn.AtdIsOod"/> compares the probability of the unknown class with.</summary>
public enum AtdComparison
{
    /// <summary>
    /// The class probabilities after the "no" text has taken its share, (1 − pⁿᵒ)·p: together with the unknown class they sum to 1. The
    /// paper's prose.
    /// </summary>
    Shrunk,

    /// <summary>
    /// The class probabilities p as they are: the paper's equation. At a logit scale of 100, p is nearly one-hot, so that this hardly ever
    /// fires.
    /// </summary>
    Original,
}

/// <summary>
/// CLIPN's inference: how well an image fits each class's text, and how well it fits the same text read with "no". Pure functions of two
/// sets of cosines of shape (N, K): N images, K classes.
/// </summary>
/// <remarks>
/// Wang et al. 2023 (arXiv:2308.12213); reference code: xmed-lab/CLIPN. The "no" features come from a "no" text tower
/// (<see cref="Clip.ClipNoTextTower"/>) or from its substitute, <see cref="ClipnLite"/>.
/// </remarks>
public static class Clipn
{
    /// <summary>Probabilities of the classes by the yes-texts alone, p = softmax(s·cosine).</summary>
    /// <param name="yesCosines">Cosines of images and class texts, shape (N, K), each in [−1, 1].</param>
    /// <param name="logitScale">s, multiplies the cosines; 100 in the paper's code.</param>
    /// <returns>Shape (N, K); every row sums to 1.</returns>
    /// <exception cref="ArgumentException">A value is no cosine.</exception>
    internal static Matrix Probabilities(Matrix yesCosines, double logitScale = Scores.ClipLogitScale)
    {
        Scores.CheckCosines(yesCosines, "CLIPN", nameof(yesCosines));
        Scores.CheckScale(logitScale);
        return Scores.Softmax(yesCosines.Scale(logitScale));
    }

    /// <summary>
    /// How far each class's "no" holds of each image: pⁿᵒ = σ(s·(no-cosine − yes-cosine)), the softmax over the two texts of one class.
    /// </summary>
    /// <param name="yesCosines">Cosines of images and class texts, shape (N, K), each in [−1, 1].</param>
    /// <param name="noCosines">Cosines of images and the "no" features of the same classes, shape (N, K), each in [−1, 1].</param>
    /// <param name="logitScale">s, multiplies the cosines; 100 in the paper's code.</param>
    /// <returns>Shape (N, K), each in [0, 1]; 0.5 where the image fits both texts alike. Rows do not sum to 1.</returns>
    /// <exception cref="ArgumentException">The shapes differ, or a value is no cosine.</exception>
    internal static Matrix NoProbabilities(Matrix yesCosines, Matrix noCosines, double logitScale = Scores.ClipLogitScale) =>
        Sigmoid(yesCosines, noCosines, logitScale, sign: 1);

    /// <summary>
    /// The class probabilities that are left after the "no" texts have taken their share, (1 − pⁿᵒ)·p; what is missing to 1 is the
    /// probability of the unknown class, "none of them".
    /// </summary>
    /// <param name="yesCosines">Cosines of images and class texts, shape (N, K), each in [−1, 1].</param>
    /// <param name="noCosines">Cosines of images and the "no" features of the same classes, shape (N, K), each in [−1, 1].</param>
    /// <param name="logitScale">s, multiplies the cosines; 100 in the paper's code.</param>
    /// <returns>Shape (N, K); every row sums to at most 1.</returns>
    /// <exception cref="ArgumentException">The shapes differ, or a value is no cosine.</exception>
    internal static Matrix ShrunkProbabilities(Matrix yesCosines, Matrix noCosines, double logitScale = Scores.ClipLogitScale)
    {
        Matrix kept = YesProbabilities(yesCosines, noCosines, logitScale);
        double[] result = new double[kept.Values.Length];
        TensorPrimitives.Multiply(kept.Values, Probabilities(yesCosines, logitScale).Values, result);
        return new Matrix(kept.Rows, kept.Columns, result);
    }

    /// <summary>The competing-to-win score: 1 − pⁿᵒ of the class whose yes-text fits best.</summary>
    /// <param name="yesCosines">Cosines of images and class texts, shape (N, K), each in [−1, 1].</param>
    /// <param name="noCosines">Cosines of images and the "no" features of the same classes, shape (N, K), each in [−1, 1].</param>
    /// <param name="logitScale">s, multiplies the cosines; 100 in the paper's code.</param>
    /// <returns>N scores in [0, 1]; higher = more ID, and below 0.5 = OOD by <see cref="CtwIsOod"/>.</returns>
    /// <exception cref="ArgumentException">The shapes differ, or a value is no cosine.</exception>
    public static IdScores Ctw(Matrix yesCosines, Matrix noCosines, double logitScale = Scores.ClipLogitScale)
    {
        Matrix kept = YesProbabilities(yesCosines, noCosines, logitScale);
        return new IdScores("CLIPN-CTW", [.. yesCosines.ArgMax().Select((best, i) => kept[i, best])]);
    }

    /// <summary>The agreeing-to-differ score: Σ (1 − pⁿᵒ)·p over the classes, 1 minus the probability of the unknown class.</summary>
    /// <param name="yesCosines">Cosines of images and class texts, shape (N, K), each in [−1, 1].</param>
    /// <param name="noCosines">Cosines of images and the "no" features of the same classes, shape (N, K), each in [−1, 1].</param>
    /// <param name="logitScale">s, multiplies the cosines; 100 in the paper's code.</param>
    /// <returns>N scores in [0, 1]; higher = more ID.</returns>
    /// <exception cref="ArgumentException">The shapes differ, or a value is no cosine.</exception>
    public static IdScores Atd(Matrix yesCosines, Matrix noCosines, double logitScale = Scores.ClipLogitScale)
    {
        Matrix shrunk = ShrunkProbabilities(yesCosines, noCosines, logitScale);
        double[] scores = new double[shrunk.Rows];
        for (int i = 0; i < scores.Length; i++)
        {
            scores[i] = TensorPrimitives.Sum(shrunk[i]);
        }

        return new IdScores("CLIPN-ATD", scores);
    }

    /// <summary>The competing-to-win decision: OOD where the best class's "no" holds more than its yes, pⁿᵒ &gt; 0.5.</summary>
    /// <param name="yesCosines">Cosines of images and class texts, shape (N, K), each in [−1, 1].</param>
    /// <param name="noCosines">Cosines of images and the "no" features of the same classes, shape (N, K), each in [−1, 1].</param>
    /// <returns>Whether each image is OOD. The logit scale has no part in it.</returns>
    /// <exception cref="ArgumentException">The shapes differ, or a value is no cosine.</exception>
    public static bool[] CtwIsOod(Matrix yesCosines, Matrix noCosines) => [.. Ctw(yesCosines, noCosines).Select(score => score < 0.5)];

    /// <summary>The agreeing-to-differ decision: OOD where the unknown class is more probable than every class.</summary>
    /// <param name="yesCosines">Cosines of images and class texts, shape (N, K), each in [−1, 1].</param>
    /// <param name="noCosines">Cosines of images and the "no" features of the same classes, shape (N, K), each in [−1, 1].</param>
    /// <param name="comparison">Which class probabilities it is compared with: the paper's prose and its equation differ. Defaults to the shrunk ones.</param>
    /// <param name="logitScale">s, multiplies the cosines; 100 in the paper's code.</param>
    /// <returns>Whether each image is OOD.</returns>
    /// <exception cref="ArgumentException">The shapes differ, or a value is no cosine.</exception>
    public static bool[] AtdIsOod(
        Matrix yesCosines, Matrix noCosines, AtdComparison comparison = AtdComparison.Shrunk, double logitScale = Scores.ClipLogitScale)
    {
        IdScores atd = Atd(yesCosines, noCosines, logitScale);
        Matrix classes = comparison == AtdComparison.Shrunk
            ? ShrunkProbabilities(yesCosines, noCosines, logitScale)
            : Probabilities(yesCosines, logitScale);
        return [.. atd.Select((score, i) => 1 - score > TensorPrimitives.Max(classes[i]))];
    }

    /// <summary>1 − pⁿᵒ as a sigmoid of its own, which keeps its digits where pⁿᵒ is near 1.</summary>
    private static Matrix YesProbabilities(Matrix yesCosines, Matrix noCosines, double logitScale) =>
        Sigmoid(yesCosines, noCosines, logitScale, sign: -1);

    /// <summary>σ(± s·(no-cosine − yes-cosine)).</summary>
    private static Matrix Sigmoid(Matrix yesCosines, Matrix noCosines, double logitScale, int sign)
    {
        Scores.CheckCosines(yesCosines, "CLIPN", nameof(yesCosines));
        Scores.CheckCosines(noCosines, "CLIPN", nameof(noCosines));
        Scores.CheckScale(logitScale);
        if (yesCosines.Rows != noCosines.Rows || yesCosines.Columns != noCosines.Columns)
        {
            throw new ArgumentException(
                $"Got no-cosines of shape ({noCosines.Rows}, {noCosines.Columns}), expected ({yesCosines.Rows}, {yesCosines.Columns}) as the yes-cosines: "
                + "the same images and classes.",
                nameof(noCosines));
        }

        double[] result = new double[yesCosines.Values.Length];
        TensorPrimitives.Subtract(noCosines.Values, yesCosines.Values, result);
        TensorPrimitives.Multiply(result, sign * logitScale, result);
        TensorPrimitives.Sigmoid<double>(result, result);
        return new Matrix(yesCosines.Rows, yesCosines.Columns, result);
    }

    /// <summary>The detectors of this file, each in its one configuration.</summary>
    internal static IReadOnlyList<Detector> Detectors { get; } =
    [
        new ImageDetector(
            new()
            {
                Key = "clipn-ctw",
                Name = "CLIPN CTW",
                Family = DetectorFamily.Trained,
                Authors = "Wang et al.",
                Title = "CLIPN for Zero-Shot OOD Detection: Teaching CLIP to Say No",
                Year = 2023,
                Url = new Uri("https://arxiv.org/abs/2308.12213"),
                ReferenceCode = "xmed-lab/CLIPN",
                Equation = "1 − pⁿᵒ of the best class, pⁿᵒ = σ(100 (s of its \"no\" text − s of its text))",
                Needs = DetectorInputs.Features | DetectorInputs.Text | DetectorInputs.NoText,
                Member = "Clipn.Ctw",
                Notebook = 10,
                Golden = "clipn_inference",
            },
            fit => images => Ctw(fit.Cosines(images), Similarity.Cosines(images.Features, NoTexts(fit)), fit.Scale)),
        new ImageDetector(
            new()
            {
                Key = "clipn-atd",
                Name = "CLIPN ATD",
                Family = DetectorFamily.Trained,
                Authors = "Wang et al.",
                Title = "CLIPN for Zero-Shot OOD Detection: Teaching CLIP to Say No",
                Year = 2023,
                Url = new Uri("https://arxiv.org/abs/2308.12213"),
                ReferenceCode = "xmed-lab/CLIPN",
                Equation = "Σ (1 − pⁿᵒ) p",
                Needs = DetectorInputs.Features | DetectorInputs.Text | DetectorInputs.NoText,
                Member = "Clipn.Atd",
                Notebook = 10,
                Golden = "clipn_inference",
            },
            fit => images => Atd(fit.Cosines(images), Similarity.Cosines(images.Features, NoTexts(fit)), fit.Scale)),
    ];

    private static Embeddings NoTexts(Fitting fit) => fit.Known.Shared("no texts", () => fit.Known.Encoder!.NoText!
        .EncodeNoClasses(fit.Known.Classes, [fit.Known.Text.Prompt]).ToTextFeatures(fit.Known.Classes)).Features;
}
