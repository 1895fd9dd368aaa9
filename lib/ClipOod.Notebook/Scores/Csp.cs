namespace ClipOod.Notebook;

/// <summary>
/// The conjugated semantic pool: beside nouns, negatives are phrases of an adjective and a word that fits nearly everything, such as
/// "wet place", which gather many unlike images. Mined and scored as NegLabel's, without what a class nearly is.
/// </summary>
/// <remarks>
/// Chen et al. 2024 (arXiv:2410.08611); reference code: MengyuanChen21/NeurIPS2024-CSP. Reduced here to what needs no text encoder: the
/// phrases are words, and mining takes their features. The code encodes nouns in 8 templates and phrases in 4 and averages the raw
/// features (<see cref="PromptAveraging.MeanOfRaw"/>); it takes WordNet without noun.person, noun.quantity, noun.group and adj.pert.
/// </remarks>
public static class Csp
{
    /// <summary>A candidate with a higher cosine to a class is that class under another name; the code's value.</summary>
    internal const double MaxCosine = 0.95;

    /// <summary>The 14 words of the code that an adjective is put before.</summary>
    internal static IReadOnlyList<string> Superclasses { get; } =
    [
        "area", "creature", "environment", "item", "landscape", "object", "pattern",
        "place", "scene", "space", "structure", "thing", "view", "vista",
    ];

    /// <summary>One phrase per adjective: the adjective and one of <see cref="Superclasses"/>, drawn at random.</summary>
    /// <param name="adjectives">Adjectives, such as "wet".</param>
    /// <param name="seed">The same seed gives the same phrases.</param>
    internal static string[] Phrases(IReadOnlyList<string> adjectives, int seed)
    {
        ArgumentNullException.ThrowIfNull(adjectives);
        Random random = new(seed);
        return [.. adjectives.Select(adjective => $"{adjective} {Superclasses[random.Next(Superclasses.Count)]}")];
    }

    /// <summary>
    /// The candidates that are farthest from the classes, farthest first, without those above <see cref="MaxCosine"/>. Nouns and phrases
    /// are mined apart.
    /// </summary>
    /// <param name="candidates">Unit-norm text features of the nouns, or of the phrases, shape (C, D).</param>
    /// <param name="idTexts">Unit-norm text features of the classes, shape (K, D).</param>
    /// <param name="keep">The share of the C candidates to keep, more than 0 to 1; 0.15 in the code.</param>
    /// <returns>Rows of <paramref name="candidates"/>, at most ⌊C·keep⌋.</returns>
    /// <exception cref="ArgumentException">The widths differ, a row is not of unit norm, or no candidate is left.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="keep"/> is out of range.</exception>
    public static int[] Mine(Embeddings candidates, Embeddings idTexts, double keep = 0.15) =>
        NegativeLabels.Mine(candidates, idTexts, keep, maxCosine: MaxCosine);

    /// <summary>NegLabel's score over the nouns and the phrases together.</summary>
    /// <param name="idCosines">Cosines of images and classes, shape (N, K), each in [−1, 1].</param>
    /// <param name="nounCosines">Cosines of the same images and the mined nouns, shape (N, M₁), each in [−1, 1].</param>
    /// <param name="phraseCosines">Cosines of the same images and the mined phrases, shape (N, M₂), each in [−1, 1].</param>
    /// <param name="groups">G, 1 to M₁+M₂; 100 in the code.</param>
    /// <param name="seed">Of the shuffle that deals negatives into groups.</param>
    /// <param name="logitScale">s, multiplies the cosines; 100 in the code.</param>
    /// <returns>N scores in [0, 1]; higher = more ID.</returns>
    /// <exception cref="ArgumentException">The numbers of images differ, or a value is no cosine.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer negatives than groups, or the scale is not greater than 0.</exception>
    public static IdScores Score(
        Matrix idCosines,
        Matrix nounCosines,
        Matrix phraseCosines,
        int groups = 100,
        int seed = 0,
        double logitScale = Scores.ClipLogitScale)
    {
        ArgumentNullException.ThrowIfNull(nounCosines);
        ArgumentNullException.ThrowIfNull(phraseCosines);
        if (nounCosines.Rows != phraseCosines.Rows)
        {
            throw new ArgumentException(
                $"Got phrase cosines of {phraseCosines.Rows} images, expected {nounCosines.Rows} as in the noun cosines.", nameof(phraseCosines));
        }

        int width = nounCosines.Columns + phraseCosines.Columns;
        double[] both = new double[nounCosines.Rows * width];
        for (int i = 0; i < nounCosines.Rows; i++)
        {
            nounCosines[i].CopyTo(both.AsSpan(i * width));
            phraseCosines[i].CopyTo(both.AsSpan((i * width) + nounCosines.Columns));
        }

        IdScores scores = NegativeLabels.Score(idCosines, new Matrix(nounCosines.Rows, width, both), groups, seed, logitScale);
        return new IdScores("CSP", scores.ToArray());
    }

    /// <summary>The detectors of this file, each in its one configuration.</summary>
    internal static IReadOnlyList<Detector> Detectors { get; } =
    [
        new ImageDetector(
            new()
            {
                Key = "csp",
                Name = "CSP",
                Family = DetectorFamily.ZeroShot,
                Authors = "Chen et al.",
                Title = "Conjugated Semantic Pool Improves OOD Detection with Pre-trained Vision-Language Models",
                Year = 2024,
                Url = new Uri("https://arxiv.org/abs/2410.08611"),
                ReferenceCode = "MengyuanChen21/NeurIPS2024-CSP",
                Equation = "NegLabel with nouns and phrases \"adjective superclass\", none of cosine > 0.95 to a class",
                Needs = DetectorInputs.Features | DetectorInputs.Text | DetectorInputs.OodText,
                Member = "Csp.Score",
                Notebook = 9,
                WithoutGolden = "mining and score are NegLabel's, which have golden values; exclusion and phrases are checked by hand",
                Substitute = "names of several words in place of phrases \"adjective superclass\"",
                Hyperparameters =
                [
                    new("groups", 5, 100, "fewer than the paper's, as the lists of words here are short"),
                ],
            },
            fit =>
            {
                Embeddings nouns = Mined(fit.Known, phrases: false).Features, phrases = Mined(fit.Known, phrases: true).Features;
                return images => Score(
                    fit.Cosines(images),
                    Similarity.Cosines(images.Features, nouns),
                    Similarity.Cosines(images.Features, phrases),
                    (int)fit["groups"],
                    fit.Seed,
                    fit.Scale);
            }),
    ];

    /// <summary>Mined words: names of several words stand for phrases, of which a larger share is kept, as there are few.</summary>
    private static TextFeatures Mined(IdSide known, bool phrases)
    {
        TextFeatures some = known.Words.Select([.. Enumerable.Range(0, known.Words.Count)
            .Where(i => known.Words.Classes[i].Contains(' ', StringComparison.Ordinal) == phrases)]);
        return some.Select(Mine(some.Features, known.Text.Features, phrases ? 0.3 : 0.15));
    }
}
