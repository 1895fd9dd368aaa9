namespace ClipOod.Notebook;

/// <summary>The scores that a <see cref="NoveltyDetector"/> can use, fitted on known images: those that lead where images, names or words are given.</summary>
internal sealed class FittedScores
{
    private const int WordGroups = 5;

    private readonly NearestNeighbors? _neighbours;
    private readonly Mahalanobis _gaussians;
    private readonly TextFeatures? _text;
    private readonly Embeddings? _negatives;
    private readonly double _logitScale;

    private FittedScores(NearestNeighbors? neighbours, Gaussians statistics, TextFeatures? text, TextFeatures? words, double logitScale)
    {
        _neighbours = neighbours;
        Statistics = statistics;
        _gaussians = Mahalanobis.Of(statistics);
        _text = text;
        _logitScale = logitScale;
        if (text is not null && text.Count > 1 && words is not null && NegativesOf(words, text) is { Rows: >= WordGroups } negatives)
        {
            _negatives = negatives;
        }
    }

    /// <summary>All that is kept of the images' features where no image is.</summary>
    public Gaussians Statistics { get; }

    /// <summary>What is computed, in the order of <see cref="Score"/>: a key and what tables call it.</summary>
    public IReadOnlyList<(string Key, string Name)> Names =>
    [
        .. _neighbours is null ? [] : ((string, string)[])[("1-nn", "1-NN")],
        _gaussians.NumClasses > 1 ? ("rmd", "RMD") : ("mds", "MDS"),
        .. _text is null || _text.Count < 2 ? [] : ((string, string)[])[("mcm", "MCM")],
        .. _negatives is null ? [] : ((string, string)[])[("neglabel", "NegLabel")],
    ];

    /// <summary>Fits on the features of known images.</summary>
    /// <param name="features">Unit-norm features, shape (N, D).</param>
    /// <param name="labels">N class numbers; every class has an image.</param>
    /// <param name="numClasses">K.</param>
    /// <param name="options">Texts of the K classes and words, where there are any.</param>
    public static FittedScores Fit(Embeddings features, IReadOnlyList<int> labels, int numClasses, NoveltyOptions options) => new(
        NearestNeighbors.Fit(features),
        Mahalanobis.Estimate(Samples.Of(features), labels, numClasses, MahalanobisConvention.OpenOod, Mahalanobis.LedoitWolf(features, labels, numClasses)),
        options.Text,
        options.Words,
        options.LogitScale);

    /// <summary>The scores that need class statistics only.</summary>
    public static FittedScores Of(Gaussians statistics, NoveltyOptions options) => new(null, statistics, options.Text, options.Words, options.LogitScale);

    /// <summary>Every score of every image: a row per score in the order of <see cref="Names"/>, ID-high.</summary>
    public double[][] Score(Embeddings images)
    {
        Matrix? cosines = _text is null || _text.Count < 2 ? null : Similarity.Cosines(images, _text.Features);
        IdScores?[] scores =
        [
            _neighbours?.Cosine(images),
            _gaussians.NumClasses > 1 ? _gaussians.Rmd(images) : _gaussians.Mds(images),
            cosines is null ? null : Scores.Mcm(cosines),
            _negatives is null ? null : NegativeLabels.Score(cosines!, Similarity.Cosines(images, _negatives), WordGroups, seed: 0, _logitScale),
        ];
        return [.. scores.Where(score => score is not null).Select(score => score!.ToArray())];
    }

    /// <summary>The class whose mean is nearest in the shared covariance: a linear discriminant.</summary>
    public int[] Classify(Embeddings images)
    {
        Matrix distances = _gaussians.ClassDistances(images);
        return distances.Scale(-1).ArgMax();
    }

    /// <summary>The nearest known image of each image, and the cosine to it; null where no features are kept.</summary>
    public (Matrix Cosines, int[,] Indices)? Nearest(Embeddings images) => _neighbours?.Search(images);

    private static Embeddings? NegativesOf(TextFeatures words, TextFeatures text)
    {
        HashSet<string> own = [.. ClassOverlap.Naming(text.Classes, words.Classes)];
        int[] others = [.. Enumerable.Range(0, words.Count).Where(i => !own.Contains(words.Classes[i]))];
        TextFeatures left = words.Select(others);
        return left.Count * 0.15 < 1 ? null : left.Features.Select(NegativeLabels.Mine(left.Features, text.Features));
    }
}
