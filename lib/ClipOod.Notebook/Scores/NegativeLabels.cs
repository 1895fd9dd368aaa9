using System.Numerics.Tensors;

namespace ClipOod.Notebook;

/// <summary>
/// NegLabel: words that are far from every class are added to the classes as negative labels, and an image counts as ID as far as the
/// classes win against them. Mining picks the words, grouping makes the score steady, and CSP, NegRefine and AdaNeg build on both.
/// </summary>
/// <remarks>
/// Jiang et al. 2024 (arXiv:2403.20078), section 3; reference code: tmlr-group/NegLabel. What is given is text features, so that the
/// words, their prompts and their encoder are the caller's: the paper takes all nouns and adjectives of WordNet, put into
/// "the nice {}" and "This is a {} photo", and mines nouns and adjectives apart.
/// </remarks>
public static class NegativeLabels
{
    /// <summary>
    /// How near each candidate is to the classes: a high quantile of its cosines, which one class of the same name moves less than it
    /// would move the maximum.
    /// </summary>
    /// <param name="candidates">Unit-norm text features of the candidate words, shape (C, D).</param>
    /// <param name="idTexts">Unit-norm text features of the classes, shape (K, D).</param>
    /// <param name="quantile">0 to 1, by linear interpolation between classes; 0.95 in the paper.</param>
    /// <returns>C values, each in [−1, 1]; higher = nearer to the classes.</returns>
    /// <exception cref="ArgumentException">The widths differ, there is no class, or a row is not of unit norm or holds NaN.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="quantile"/> is outside 0 to 1.</exception>
    public static double[] Nearness(Embeddings candidates, Embeddings idTexts, double quantile = 0.95)
    {
        if (quantile is not (>= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(quantile), quantile, "Expected a quantile from 0 to 1.");
        }

        Matrix cosines = Similarity.Cosines(candidates, idTexts);
        return [.. Enumerable.Range(0, cosines.Rows).Select(i => Statistics.Quantile(cosines[i].ToArray(), quantile))];
    }

    /// <summary>The candidates that are farthest from the classes, farthest first.</summary>
    /// <param name="candidates">Unit-norm text features of the candidate words, shape (C, D).</param>
    /// <param name="idTexts">Unit-norm text features of the classes, shape (K, D).</param>
    /// <param name="keep">The share of the C candidates to keep, more than 0 to 1, rounded down; 0.15 in the paper's code.</param>
    /// <param name="quantile">0 to 1, of <see cref="Nearness"/>; 0.95 in the paper.</param>
    /// <param name="maxCosine">A candidate with a higher cosine to any class is never kept; null keeps all, as NegLabel does. CSP takes 0.95.</param>
    /// <returns>Rows of <paramref name="candidates"/>, at most ⌊C·keep⌋; equally near ones in their order.</returns>
    /// <exception cref="ArgumentException">
    /// The widths differ, there is no class, a row is not of unit norm or holds NaN, or no candidate is left.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="keep"/> or <paramref name="quantile"/> is out of range.</exception>
    public static int[] Mine(
        Embeddings candidates, Embeddings idTexts, double keep = 0.15, double quantile = 0.95, double? maxCosine = null)
    {
        if (keep is not (> 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(keep), keep, "Expected a share of more than 0, at most 1.");
        }

        double[] nearness = Nearness(candidates, idTexts, quantile);
        double[]? nearest = maxCosine is null ? null : Nearness(candidates, idTexts, quantile: 1);

        // The share is of all candidates, those that are too near included, as in the code of CSP.
        int[] kept = [.. Enumerable.Range(0, nearness.Length)
            .Where(i => nearest is null || nearest[i] <= maxCosine)
            .OrderBy(i => nearness[i])
            .Take((int)(nearness.Length * keep))];
        return kept.Length > 0 ? kept : throw new ArgumentException(
            FormattableString.Invariant($"A share of {keep} of {nearness.Length} candidates leaves none. Give more candidates or keep more of them."),
            nameof(candidates));
    }

    /// <summary>
    /// The order in which negatives are dealt into groups: a seeded shuffle of 0 to M′−1, where M′ is M less what does not fill the groups.
    /// </summary>
    /// <param name="negatives">M.</param>
    /// <param name="groups">G, 1 to M.</param>
    /// <param name="seed">The same seed gives the same order; it is not that of torch.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer negatives than groups.</exception>
    public static int[] Permutation(int negatives, int groups, int seed)
    {
        CheckGroups(negatives, groups);
        int[] permutation = [.. Enumerable.Range(0, negatives - (negatives % groups))];
        new Random(seed).Shuffle(permutation);
        return permutation;
    }

    /// <summary>
    /// NegLabel's score: Σ over classes of exp(s·c), divided by the same plus Σ over the negatives of one group, averaged over the groups.
    /// </summary>
    /// <param name="idCosines">Cosines of images and classes, shape (N, K), each in [−1, 1].</param>
    /// <param name="negativeCosines">Cosines of the same images and the negative labels, shape (N, M), each in [−1, 1].</param>
    /// <param name="groups">G, 1 to M; 100 in the paper. The last M mod G negatives are dropped.</param>
    /// <param name="seed">Of the shuffle that deals negatives into groups.</param>
    /// <param name="logitScale">s, multiplies the cosines; 100 in the paper's code.</param>
    /// <returns>N scores in [0, 1]; higher = more ID.</returns>
    /// <exception cref="ArgumentException">The numbers of images differ, or a value is no cosine.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer negatives than groups, or the scale is not greater than 0.</exception>
    public static IdScores Score(
        Matrix idCosines, Matrix negativeCosines, int groups = 100, int seed = 0, double logitScale = Scores.ClipLogitScale)
    {
        ArgumentNullException.ThrowIfNull(negativeCosines);
        return Score(idCosines, negativeCosines, groups, Permutation(negativeCosines.Columns, groups, seed), logitScale);
    }

    /// <summary>NegLabel's score with a given order of the negatives, such as torch's.</summary>
    /// <param name="idCosines">Cosines of images and classes, shape (N, K), each in [−1, 1].</param>
    /// <param name="negativeCosines">Cosines of the same images and the negative labels, shape (N, M), each in [−1, 1].</param>
    /// <param name="groups">G, 1 to M; 100 in the paper.</param>
    /// <param name="permutation">Columns of <paramref name="negativeCosines"/>, G equal runs of them, each column once at most.</param>
    /// <param name="logitScale">s, multiplies the cosines; 100 in the paper's code.</param>
    /// <returns>N scores in [0, 1]; higher = more ID.</returns>
    /// <exception cref="ArgumentException">
    /// The numbers of images differ, a value is no cosine, or the order does not fill the groups, repeats a column or names none.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer negatives than groups, or the scale is not greater than 0.</exception>
    public static IdScores Score(
        Matrix idCosines, Matrix negativeCosines, int groups, IReadOnlyList<int> permutation, double logitScale = Scores.ClipLogitScale)
    {
        Matrix scores = GroupScores(idCosines, negativeCosines, groups, permutation, logitScale);
        return new IdScores("NegLabel", [.. Enumerable.Range(0, scores.Rows).Select(i => TensorPrimitives.Average(scores[i]))]);
    }

    /// <summary>The share of the classes against each group alone, before <see cref="Score(Matrix, Matrix, int, int, double)"/> averages them.</summary>
    /// <inheritdoc cref="Score(Matrix, Matrix, int, IReadOnlyList{int}, double)" path="/param|/exception"/>
    /// <returns>Shape (N, G), each in [0, 1]; higher = more ID.</returns>
    internal static Matrix GroupScores(
        Matrix idCosines, Matrix negativeCosines, int groups, IReadOnlyList<int> permutation, double logitScale = Scores.ClipLogitScale)
    {
        CheckPair(idCosines, negativeCosines, "NegLabel", logitScale);
        CheckPermutation(permutation, negativeCosines.Columns, groups);
        double[] result = new double[idCosines.Rows * groups];
        Parallel.For(0, idCosines.Rows, i =>
            ShareOfGroups(idCosines[i], negativeCosines[i], permutation, logitScale, result.AsSpan(i * groups, groups)));
        return new Matrix(idCosines.Rows, groups, result);
    }

    /// <summary>The same for one image, into G values.</summary>
    internal static void ShareOfGroups(
        ReadOnlySpan<double> idCosines, ReadOnlySpan<double> negativeCosines, IReadOnlyList<int> permutation, double logitScale, Span<double> shares)
    {
        (double max, double idMass) = Mass(idCosines, logitScale);
        int size = permutation.Count / shares.Length;
        for (int g = 0; g < shares.Length; g++)
        {
            double groupMass = 0;
            for (int j = g * size; j < (g + 1) * size; j++)
            {
                groupMass += Math.Exp(logitScale * (negativeCosines[permutation[j]] - max));
            }

            shares[g] = idMass / (idMass + groupMass);
        }
    }

    /// <summary>
    /// The largest cosine of an image to a class, and Σ exp(s·(c − largest)): at least 1, so that dividing by it and a sum over negatives
    /// is never 0/0; where that sum overflows, the share of the classes is the 0 that it should be.
    /// </summary>
    internal static (double Max, double Mass) Mass(ReadOnlySpan<double> idCosines, double logitScale)
    {
        double max = TensorPrimitives.Max(idCosines);
        double mass = 0;
        foreach (double cosine in idCosines)
        {
            mass += Math.Exp(logitScale * (cosine - max));
        }

        return (max, mass);
    }

    internal static void CheckPair(Matrix idCosines, Matrix negativeCosines, string score, double logitScale)
    {
        Scores.CheckCosines(idCosines, score, nameof(idCosines));
        Scores.CheckCosines(negativeCosines, score, nameof(negativeCosines));
        Scores.CheckScale(logitScale);
        if (idCosines.Rows != negativeCosines.Rows)
        {
            throw new ArgumentException(
                $"Got negative cosines of {negativeCosines.Rows} images, expected {idCosines.Rows} as in the class cosines.", nameof(negativeCosines));
        }
    }

    private static void CheckGroups(int negatives, int groups)
    {
        if (groups < 1 || groups > negatives)
        {
            throw new ArgumentOutOfRangeException(
                nameof(groups), groups, $"Expected 1 to {negatives}, the number of negative labels: a group needs at least one.");
        }
    }

    private static void CheckPermutation(IReadOnlyList<int> permutation, int negatives, int groups)
    {
        ArgumentNullException.ThrowIfNull(permutation);
        CheckGroups(negatives, groups);
        if (permutation.Count == 0 || permutation.Count % groups != 0)
        {
            throw new ArgumentException(
                $"Got an order of {permutation.Count} negatives, expected a multiple of the {groups} groups.", nameof(permutation));
        }

        if (permutation.Any(j => j < 0 || j >= negatives) || permutation.Distinct().Count() != permutation.Count)
        {
            throw new ArgumentException(
                $"The order names a negative twice or one that is not there, expected each of 0 to {negatives - 1} once at most.", nameof(permutation));
        }
    }

    /// <summary>The detectors of this file, each in its one configuration.</summary>
    internal static IReadOnlyList<Detector> Detectors { get; } =
    [
        new ImageDetector(
            new()
            {
                Key = "neglabel",
                Name = "NegLabel",
                Family = DetectorFamily.ZeroShot,
                Authors = "Jiang et al.",
                Title = "Negative Label Guided OOD Detection with Pretrained Vision-Language Models",
                Year = 2024,
                Url = new Uri("https://arxiv.org/abs/2403.20078"),
                ReferenceCode = "tmlr-group/NegLabel",
                Equation = "mean over groups of Σ over classes of softmax(100 s) over classes and the group's negatives",
                Needs = DetectorInputs.Features | DetectorInputs.Text | DetectorInputs.OodText,
                Member = "NegativeLabels.Score",
                Notebook = 9,
                Golden = "negative_labels",
                Hyperparameters =
                [
                    new("groups", 5, 100, "fewer than the paper's, as the lists of words here are short"),
                    new("keep", 0.15, 0.15, "the paper's"),
                ],
            },
            fit =>
            {
                Embeddings negatives = Mined(fit).Features;
                return images => Score(
                    fit.Cosines(images), Similarity.Cosines(images.Features, negatives), (int)fit["groups"], fit.Seed, fit.Scale);
            }),
    ];

    /// <summary>The words of the ID side that are farthest from its classes, a share "keep" of them.</summary>
    internal static TextFeatures Mined(Fitting fit) => fit.Known.Words.Select(Mine(fit.Known.Words.Features, fit.Text, fit["keep"]));
}
