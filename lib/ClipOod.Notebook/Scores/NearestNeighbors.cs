namespace ClipOod.Notebook;

/// <summary>How the cosines of the k nearest training images become one ID-high score.</summary>
public enum KnnRule
{
    /// <summary>The k-th highest cosine; k = 1 is the 1-NN score.</summary>
    KthCosine,

    /// <summary>The mean of the k highest cosines.</summary>
    MeanCosine,

    /// <summary>The mean of exp(cosine) over the k nearest, as PLP's released code computes it.</summary>
    MeanExp,

    /// <summary>The mean of exp(cosine / 0.02) over the k nearest, the default of PLP's released code.</summary>
    MeanTemperatureExp,

    /// <summary>
    /// OpenOOD's KNN: minus the k-th smallest squared Euclidean distance between unit vectors, 2·cosine − 2, less the
    /// 1e-10 that its code adds.
    /// </summary>
    OpenOod,
}

/// <summary>
/// Nearest-neighbour scores and classification by exact cosine search among training embeddings.
/// Sun et al. 2022 (deep nearest neighbours, squared distance) and the unsupervised scores of PLP (1-NN and k-NN).
/// </summary>
public sealed class NearestNeighbors
{
    /// <summary>The temperature of the weighted variants: exp(cosine / 0.02).</summary>
    public const double Temperature = 0.02;

    private readonly NeighborSearch _search;

    private NearestNeighbors(NeighborSearch search) => _search = search;

    /// <summary>Number of training embeddings, M.</summary>
    public int Count => _search.Rows;

    /// <summary>Keeps the training embeddings to search in.</summary>
    /// <param name="train">Unit-norm embeddings, shape (M, D), M at least 1.</param>
    /// <exception cref="ArgumentException">There is no row, or a row is not of unit norm (tolerance 0.002) or holds NaN.</exception>
    public static NearestNeighbors Fit(Embeddings train)
    {
        ArgumentNullException.ThrowIfNull(train);
        Similarity.RequireRows(train, nameof(train));
        Similarity.RequireUnitNorm(train, nameof(train));
        return new NearestNeighbors(new NeighborSearch(train));
    }

    /// <summary>ID-high scores of the queries from the cosines of their k nearest training embeddings.</summary>
    /// <param name="queries">Unit-norm embeddings, shape (N, D).</param>
    /// <param name="k">Number of neighbours, 1 to M; 1 is PLP's main score. OpenOOD's KNN defaults to 50.</param>
    /// <param name="rule">How k cosines become one score.</param>
    /// <exception cref="ArgumentException">The widths differ, or a query is not of unit norm (tolerance 0.002) or holds NaN.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="k"/> is outside 1 to M.</exception>
    public IdScores Cosine(Embeddings queries, int k = 1, KnnRule rule = KnnRule.KthCosine)
    {
        string name = k == 1 && rule == KnnRule.KthCosine ? "1-NN cosine" : FormattableString.Invariant($"{rule} {k}-NN");
        return Score(Search(queries, k).Cosines, rule, name);
    }

    /// <summary>The k nearest training embeddings of every query: cosines, highest first, and their rows, both (N, k).</summary>
    /// <inheritdoc cref="Cosine" path="/param|/exception"/>
    public (Matrix Cosines, int[,] Indices) Search(Embeddings queries, int k = 1) => _search.Search(queries, k);

    /// <summary>
    /// The class of every query by weighted vote: each of the k nearest training images votes for its class with
    /// weight exp(cosine / 0.02). Ties go to the lowest class.
    /// </summary>
    /// <param name="queries">Unit-norm embeddings, shape (N, D).</param>
    /// <param name="labels">Class of every training embedding, 0 upwards; M of them.</param>
    /// <param name="k">Number of neighbours; more than M means all. Defaults to 20.</param>
    /// <exception cref="ArgumentException">The labels are not M in number or one is negative, the widths differ, or a query is not of unit norm.</exception>
    public int[] Classify(Embeddings queries, IReadOnlyList<int> labels, int k = 20)
    {
        ArgumentNullException.ThrowIfNull(labels);
        if (labels.Count != _search.Rows)
        {
            throw new ArgumentException($"Got {labels.Count} labels for {_search.Rows} training embeddings.", nameof(labels));
        }

        if (labels.Min() < 0)
        {
            throw new ArgumentException($"Got label {labels.Min()}, expected classes from 0 upwards.", nameof(labels));
        }

        (Matrix cosines, int[,] indices) = Search(queries, Math.Min(k, _search.Rows));
        double[] votes = new double[labels.Max() + 1];
        int[] result = new int[queries.Rows];
        for (int i = 0; i < result.Length; i++)
        {
            Array.Clear(votes);
            for (int j = 0; j < cosines.Columns; j++)
            {
                votes[labels[indices[i, j]]] += Math.Exp(cosines[i, j] / Temperature);
            }

            result[i] = Array.IndexOf(votes, votes.Max());
        }

        return result;
    }

    /// <summary>The share of queries that <see cref="Classify"/> gives their own class, 0 to 1.</summary>
    /// <param name="queries">Unit-norm embeddings, shape (N, D), N at least 1.</param>
    /// <param name="queryLabels">Class of every query; N of them.</param>
    /// <param name="labels">Class of every training embedding; M of them.</param>
    /// <param name="k">Number of neighbours; more than M means all. Defaults to 20.</param>
    /// <exception cref="ArgumentException">There is no query, or labels and embeddings differ in number.</exception>
    public double Accuracy(Embeddings queries, IReadOnlyList<int> queryLabels, IReadOnlyList<int> labels, int k = 20)
    {
        ArgumentNullException.ThrowIfNull(queries);
        ArgumentNullException.ThrowIfNull(queryLabels);
        Similarity.RequireRows(queries, nameof(queries));
        if (queryLabels.Count != queries.Rows)
        {
            throw new ArgumentException($"Got {queryLabels.Count} labels for {queries.Rows} queries.", nameof(queryLabels));
        }

        return Classify(queries, labels, k).Where((predicted, i) => predicted == queryLabels[i]).Count() / (double)queries.Rows;
    }

    internal static IdScores Score(Matrix cosines, KnnRule rule, string name)
    {
        double[] result = new double[cosines.Rows];
        for (int i = 0; i < result.Length; i++)
        {
            ReadOnlySpan<double> row = cosines[i];
            result[i] = rule switch
            {
                KnnRule.KthCosine => row[^1],
                KnnRule.MeanCosine => Mean(row, static c => c),
                KnnRule.MeanExp => Mean(row, Math.Exp),
                KnnRule.MeanTemperatureExp => Mean(row, static c => Math.Exp(c / Temperature)),
                KnnRule.OpenOod => (2 * row[^1]) - 2 - 1e-10,
                _ => throw new ArgumentOutOfRangeException(nameof(rule), rule, "Unknown rule."),
            };
        }

        return new IdScores(name, result);
    }

    private static double Mean(ReadOnlySpan<double> row, Func<double, double> map)
    {
        double sum = 0;
        foreach (double cosine in row)
        {
            sum += map(cosine);
        }

        return sum / row.Length;
    }

    /// <summary>The detectors of this file, each in its one configuration.</summary>
    internal static IReadOnlyList<Detector> Detectors { get; } =
    [
        new ImageDetector(
            new()
            {
                Key = "knn",
                Name = "KNN",
                Family = DetectorFamily.IdFeatures,
                Authors = "Sun et al.",
                Title = "Out-of-Distribution Detection with Deep Nearest Neighbors",
                Year = 2022,
                Url = new Uri("https://arxiv.org/abs/2204.06507"),
                ReferenceCode = "deeplearning-wisc/knn-ood",
                Equation = "cosine to the k-th nearest training image",
                Needs = DetectorInputs.Features | DetectorInputs.TrainImages,
                Member = "NearestNeighbors.Cosine",
                Notebook = 11,
                Golden = "knn",
                Hyperparameters =
                [
                    new("k", 10, 1000, "a smaller neighbourhood, as the ID sets here are small: the paper takes k = 1000 of ImageNet and 50 of CIFAR-10"),
                ],
            },
            fit => images => Of(fit).Cosine(images.Features, Math.Min((int)fit["k"], Of(fit).Count))),
        new ImageDetector(
            new()
            {
                Key = "1-nn",
                Name = "1-NN",
                Family = DetectorFamily.IdFeatures,
                Authors = "Adaloglou et al.",
                Title = "Adapting Contrastive Language-Image Pretrained (CLIP) Models for Out-of-Distribution Detection",
                Year = 2024,
                Url = new Uri("https://arxiv.org/abs/2303.05828"),
                ReferenceCode = "HHU-MMBS/plp-official-tmlr2024",
                Equation = "max over training images of the cosine",
                Needs = DetectorInputs.Features | DetectorInputs.TrainImages,
                Member = "NearestNeighbors.Cosine",
                Notebook = 11,
                Golden = "knn",
            },
            fit => images => Of(fit).Cosine(images.Features)),
    ];

    private static NearestNeighbors Of(Fitting fit) => fit.Known.Shared("neighbours", () => Fit(fit.Known.Train.Features));
}
