using System.Numerics.Tensors;

namespace ClipOod.Notebook;

/// <summary>
/// NegRefine's score: NegLabel's plus a term for images that show an ID class together with something else, which the text
/// "id and negative" then fits better than the negative alone.
/// </summary>
/// <remarks>
/// Ansari et al. 2025 (arXiv:2507.09795); reference code: ah-ansari/NegRefine, src/clip_ood.py. Reduced here: the paper lets a language
/// model strike proper nouns and sub-categories of a class from CSP's negatives; the negatives given are taken as they are.
/// </remarks>
public static class NegRefine
{
    /// <summary>The weight of the multi-matching term; the code's value.</summary>
    internal const double MultiMatchingWeight = 2;

    /// <summary>S_MM = max over pairs of σ(s·(cosine to "id and negative" − cosine to the negative alone)).</summary>
    /// <param name="pairCosines">Cosines of images and the texts "id and negative", shape (N, P): P pairs of each image's own.</param>
    /// <param name="negativeCosines">Cosines of the same images and the negative of each pair alone, shape (N, P).</param>
    /// <param name="logitScale">s, multiplies the cosines; 100 in the code.</param>
    /// <returns>N scores in [0, 1]; higher = more ID.</returns>
    /// <exception cref="ArgumentException">The shapes differ, or a value is no cosine.</exception>
    internal static IdScores MultiMatching(Matrix pairCosines, Matrix negativeCosines, double logitScale = Scores.ClipLogitScale)
    {
        NegativeLabels.CheckPair(pairCosines, negativeCosines, "NegRefine", logitScale);
        if (pairCosines.Columns != negativeCosines.Columns)
        {
            throw new ArgumentException(
                $"Got {negativeCosines.Columns} negatives per image, expected {pairCosines.Columns}, one of each pair.", nameof(negativeCosines));
        }

        double[] scores = new double[pairCosines.Rows];
        for (int i = 0; i < scores.Length; i++)
        {
            double gap = double.NegativeInfinity;
            for (int j = 0; j < pairCosines.Columns; j++)
            {
                gap = Math.Max(gap, pairCosines[i, j] - negativeCosines[i, j]);
            }

            // σ rises with the gap, so that the largest gap has the largest σ.
            scores[i] = 1 / (1 + Math.Exp(-logitScale * gap));
        }

        return new IdScores("S_MM", scores);
    }

    /// <summary>NegLabel's score plus <see cref="MultiMatchingWeight"/> times S_MM over each image's best classes and best negatives.</summary>
    /// <param name="images">Unit-norm image features, shape (N, D).</param>
    /// <param name="idTexts">Unit-norm text features of the classes, shape (K, D).</param>
    /// <param name="negativeTexts">Unit-norm text features of the negatives, shape (M, D).</param>
    /// <param name="pairText">
    /// The unit-norm text feature, D values, of "id and negative" from the rows of the two; asked once per pair.
    /// <see cref="MeanPairText"/> stands in where there is no text encoder.
    /// </param>
    /// <param name="groups">G of NegLabel, 1 to M; 100 in the code.</param>
    /// <param name="top">How many best classes and best negatives make the pairs, at least 1, less where there are fewer; 5 in the code.</param>
    /// <param name="seed">Of the shuffle that deals negatives into groups.</param>
    /// <param name="logitScale">s, multiplies all cosines; 100 in the code.</param>
    /// <returns>N scores in [0, 3]; higher = more ID.</returns>
    /// <exception cref="ArgumentException">Widths differ, or a row or a pair's feature is not of unit norm.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="top"/> is less than 1, or there are fewer negatives than groups.</exception>
    public static IdScores Score(
        Embeddings images,
        Embeddings idTexts,
        Embeddings negativeTexts,
        Func<int, int, IReadOnlyList<float>> pairText,
        int groups = 100,
        int top = 5,
        int seed = 0,
        double logitScale = Scores.ClipLogitScale)
    {
        ArgumentNullException.ThrowIfNull(pairText);
        ArgumentOutOfRangeException.ThrowIfLessThan(top, 1);
        Matrix id = Similarity.Cosines(images, idTexts);
        Matrix negative = Similarity.Cosines(images, negativeTexts);
        IdScores negLabel = NegativeLabels.Score(id, negative, groups, seed, logitScale);
        if (images.Rows == 0)
        {
            return new IdScores("NegRefine", []);
        }

        (int Id, int Negative)[][] pairs = [.. Enumerable.Range(0, images.Rows).Select(i =>
            Best(id[i], top).SelectMany(k => Best(negative[i], top).Select(m => (k, m))).ToArray())];
        (int Id, int Negative)[] distinct = [.. pairs.SelectMany(pair => pair).Distinct()];
        Embeddings texts = PairTexts(distinct, pairText, images.Width);
        Dictionary<(int Id, int Negative), int> rows = distinct.Index().ToDictionary(p => p.Item, p => p.Index);

        int width = pairs[0].Length;
        double[] pairCosines = new double[images.Rows * width];
        double[] alone = new double[images.Rows * width];
        for (int i = 0; i < images.Rows; i++)
        {
            for (int j = 0; j < width; j++)
            {
                pairCosines[(i * width) + j] = TensorPrimitives.Dot(images[i], texts[rows[pairs[i][j]]]);
                alone[(i * width) + j] = negative[i, pairs[i][j].Negative];
            }
        }

        IdScores multiMatching = MultiMatching(new Matrix(images.Rows, width, pairCosines), new Matrix(images.Rows, width, alone), logitScale);
        return new IdScores("NegRefine", [.. negLabel.Select((score, i) => score + (MultiMatchingWeight * multiMatching[i]))]);
    }

    /// <summary>
    /// A substitute for the text feature of "id and negative" where there is no text encoder: the mean of the two features, of unit norm.
    /// </summary>
    /// <param name="idTexts">Unit-norm text features of the classes, shape (K, D).</param>
    /// <param name="negativeTexts">Unit-norm text features of the negatives, shape (M, D).</param>
    /// <returns>A function of a class row and a negative row; D values.</returns>
    internal static Func<int, int, IReadOnlyList<float>> MeanPairText(Embeddings idTexts, Embeddings negativeTexts)
    {
        ArgumentNullException.ThrowIfNull(idTexts);
        ArgumentNullException.ThrowIfNull(negativeTexts);
        return (id, negative) => PromptEnsemble.Average([idTexts.Select([id]).Append(negativeTexts.Select([negative]))])[0].ToArray();
    }

    private static Embeddings PairTexts((int Id, int Negative)[] pairs, Func<int, int, IReadOnlyList<float>> pairText, int width)
    {
        float[] values = new float[pairs.Length * width];
        for (int row = 0; row < pairs.Length; row++)
        {
            (int id, int negative) = pairs[row];
            IReadOnlyList<float> text = pairText(id, negative);
            if (text.Count != width)
            {
                throw new ArgumentException(
                    $"Got {text.Count} values for the text of class {id} and negative {negative}, expected {width} as the image features.", nameof(pairText));
            }

            for (int d = 0; d < width; d++)
            {
                values[(row * width) + d] = text[d];
            }
        }

        Embeddings texts = new(pairs.Length, width, values);
        Similarity.RequireUnitNorm(texts, nameof(pairText));
        return texts;
    }

    /// <summary>Positions of the largest values, largest first; ties go to the lowest position.</summary>
    private static int[] Best(ReadOnlySpan<double> row, int count)
    {
        double[] values = row.ToArray();
        return [.. Enumerable.Range(0, values.Length).OrderByDescending(j => values[j]).Take(count)];
    }

    /// <summary>The detectors of this file, each in its one configuration.</summary>
    internal static IReadOnlyList<Detector> Detectors { get; } =
    [
        new ImageDetector(
            new()
            {
                Key = "negrefine",
                Name = "NegRefine",
                Family = DetectorFamily.ZeroShot,
                Authors = "Ansari et al.",
                Title = "NegRefine: Refining Negative Label-Based Zero-Shot OOD Detection",
                Year = 2025,
                Url = new Uri("https://arxiv.org/abs/2507.09795"),
                ReferenceCode = "ah-ansari/NegRefine",
                Equation = "NegLabel + 2 max over pairs of σ(100 (s of \"id and negative\" − s of the negative))",
                Needs = DetectorInputs.Features | DetectorInputs.Text | DetectorInputs.OodText,
                Member = "NegRefine.Score",
                Notebook = 9,
                Golden = "negrefine_smm",
                Substitute = "no language model strikes proper nouns and sub-categories from the negatives",
                Hyperparameters =
                [
                    new("groups", 5, 100, "fewer than the paper's, as the lists of words here are short"),
                    new("keep", 0.15, 0.15, "the paper's"),
                    new("top", 5, 5, "the paper's"),
                ],
            },
            fit =>
            {
                TextFeatures negatives = NegativeLabels.Mined(fit);
                Func<int, int, IReadOnlyList<float>> pairs = fit.Known.Encoder is { } encoder
                    ? EncodedPairText(encoder, fit.Known.Classes, negatives.Classes)
                    : MeanPairText(fit.Text, negatives.Features);
                return images => Score(images.Features, fit.Text, negatives.Features, pairs, (int)fit["groups"], (int)fit["top"], fit.Seed, fit.Scale);
            }),
    ];

    /// <summary>The text feature of "id and negative", encoded for all pairs at once.</summary>
    private static Func<int, int, IReadOnlyList<float>> EncodedPairText(WorldEncoder encoder, IReadOnlyList<string> classes, IReadOnlyList<string> negatives)
    {
        Embeddings pairs = encoder.EncodeClasses([.. from name in classes from word in negatives select $"{name} and {word}"]).Features;
        return (id, negative) => pairs[(id * negatives.Count) + negative].ToArray();
    }
}
