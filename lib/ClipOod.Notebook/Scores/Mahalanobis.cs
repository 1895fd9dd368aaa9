using System.Globalization;
using System.Numerics.Tensors;

namespace ClipOod.Notebook;

/// <summary>
/// What published code takes as the shared covariance Σ and the background covariance Σ₀. The choices give different scores and
/// rankings, so a table must name its own.
/// </summary>
public enum MahalanobisConvention
{
    /// <summary>
    /// Σ: the unweighted mean of the per-class unbiased covariances; classes of one sample or none are left out altogether.
    /// Σ₀: unbiased. Plain inverse.
    /// </summary>
    /// <remarks>Adapting CLIP for OOD detection, arXiv:2303.05828; reference code: the authors' eval/ood_scores.py.</remarks>
    Plp,

    /// <summary>Σ: within-class scatter pooled over all classes, divided by N. Σ₀: total scatter divided by N. Pseudo-inverse.</summary>
    /// <remarks>Reference code: Jingkang50/OpenOOD, openood/postprocessors/mds_postprocessor.py and rmds_postprocessor.py.</remarks>
    OpenOod,

    /// <summary>The same covariances as <see cref="OpenOod"/>, with a plain inverse.</summary>
    /// <remarks>Bitterwolf et al. 2023, arXiv:2306.00826.</remarks>
    Ninco,

    /// <summary>
    /// Σ: pooled scatter divided by N−1, plus 1e-6·I. Σ₀: total scatter <b>not divided</b>, plus 1e-6·I, which makes the background
    /// distance about N times too small, so that the relative score hardly differs from the absolute one. For comparing with that library only.
    /// </summary>
    /// <remarks>Reference code: kkirchheim/pytorch-ood, detector/rmd.py.</remarks>
    PytorchOod,
}

/// <summary>
/// Mahalanobis distance to the nearest class (MDS), and relative to the distance to all training data (RMD), on features or on logits.
/// With d_c(x) = (x−μ_c)ᵀΣ⁻¹(x−μ_c) and d₀ the same for the mean and covariance of all rows:
/// MDS = −min_c d_c and RMD = −min_c (d_c − d₀).
/// </summary>
/// <remarks>
/// Lee et al. 2018 (arXiv:1807.03888) and Ren et al. 2021 (arXiv:2106.09022). Computed in double precision: with Σ = LLᵀ all distances
/// are Euclidean ones after multiplying by L⁻¹.
/// </remarks>
public sealed class Mahalanobis
{
    /// <summary>A shrinkage that makes a singular covariance invertible and hardly changes another one.</summary>
    public const double SuggestedShrinkage = 1e-6;

    private readonly Whitening _shared;
    private readonly Whitening _background;
    private readonly double[]?[] _whitenedMeans;
    private readonly double[] _whitenedGlobalMean;

    private Mahalanobis(Whitening shared, Whitening background, double[]?[] means, double[] globalMean, MahalanobisConvention convention)
    {
        _shared = shared;
        _background = background;
        _whitenedMeans = [.. means.Select(mean => mean is null ? null : Apply(shared, mean))];
        _whitenedGlobalMean = Apply(background, globalMean);
        Convention = convention;
    }

    /// <summary>What was taken as the covariances.</summary>
    public MahalanobisConvention Convention { get; }

    /// <summary>Number of classes, K, including those left out.</summary>
    public int NumClasses => _whitenedMeans.Length;

    /// <summary>Number of features, D.</summary>
    public int Width => _shared.Width;

    /// <summary>Estimates class means and covariances from labelled features.</summary>
    /// <param name="features">Training features, shape (N, D); N should be well above D, or the covariance is near-singular.</param>
    /// <param name="labels">N class numbers, each 0 to K−1.</param>
    /// <param name="numClasses">K.</param>
    /// <param name="convention">What to take as the covariances; that of the PLP code unless said otherwise.</param>
    /// <param name="shrinkage">
    /// Adds shrinkage·tr(Σ)/D to the diagonal of both covariances. 0, as in the published code, unless said otherwise;
    /// <see cref="SuggestedShrinkage"/> where N is small or logits are few.
    /// </param>
    /// <exception cref="ArgumentException">
    /// Counts differ, a label is out of range, a feature is NaN or infinite, or, but for <see cref="MahalanobisConvention.Plp"/>,
    /// a class has no sample.
    /// </exception>
    /// <exception cref="InvalidOperationException">A covariance is singular and the convention inverts it.</exception>
    public static Mahalanobis Fit(
        Embeddings features,
        IReadOnlyList<int> labels,
        int numClasses,
        MahalanobisConvention convention = MahalanobisConvention.Plp,
        double shrinkage = 0) => Fit(Samples.Of(features), labels, numClasses, convention, shrinkage);

    /// <param name="logits">Training logits, shape (N, K′).</param>
    /// <inheritdoc cref="Fit(Embeddings, IReadOnlyList{int}, int, MahalanobisConvention, double)"/>
    /// <param name="labels">N class numbers, each 0 to K−1.</param>
    /// <param name="numClasses">K.</param>
    /// <param name="convention">What to take as the covariances.</param>
    /// <param name="shrinkage">Adds shrinkage·tr(Σ)/D to the diagonal of both covariances.</param>
    public static Mahalanobis Fit(
        Matrix logits,
        IReadOnlyList<int> labels,
        int numClasses,
        MahalanobisConvention convention = MahalanobisConvention.Plp,
        double shrinkage = 0) => Fit(Samples.Of(logits), labels, numClasses, convention, shrinkage);

    /// <summary>Negative distance to the nearest class mean.</summary>
    /// <param name="features">Features to score, shape (M, D).</param>
    /// <returns>M scores of at most 0; higher = more ID.</returns>
    /// <exception cref="ArgumentException">The width is not that of the training features.</exception>
    public IdScores Mds(Embeddings features) => Mds(Samples.Of(features));

    /// <param name="logits">Logits to score, shape (M, K′).</param>
    /// <inheritdoc cref="Mds(Embeddings)"/>
    public IdScores Mds(Matrix logits) => Mds(Samples.Of(logits));

    /// <summary>Negative distance to the nearest class mean, relative to the distance to the mean of all training data.</summary>
    /// <param name="features">Features to score, shape (M, D).</param>
    /// <returns>M scores; higher = more ID.</returns>
    /// <exception cref="ArgumentException">The width is not that of the training features.</exception>
    public IdScores Rmd(Embeddings features) => Rmd(Samples.Of(features));

    /// <param name="logits">Logits to score, shape (M, K′).</param>
    /// <inheritdoc cref="Rmd(Embeddings)"/>
    public IdScores Rmd(Matrix logits) => Rmd(Samples.Of(logits));

    /// <summary>The squared distances d_c to every class mean.</summary>
    /// <param name="features">Features, shape (M, D).</param>
    /// <returns>Shape (M, K), at least 0; +∞ for a class that the convention leaves out.</returns>
    internal Matrix ClassDistances(Embeddings features) => ClassDistances(Samples.Of(features));

    /// <param name="logits">Logits, shape (M, K′).</param>
    /// <inheritdoc cref="ClassDistances(Embeddings)"/>
    internal Matrix ClassDistances(Matrix logits) => ClassDistances(Samples.Of(logits));

    /// <summary>The squared distances d₀ to the mean of all training data, under the background covariance.</summary>
    /// <param name="features">Features, shape (M, D).</param>
    /// <returns>M values, at least 0.</returns>
    internal double[] BackgroundDistances(Embeddings features) => BackgroundDistances(Samples.Of(features));

    /// <param name="logits">Logits, shape (M, K′).</param>
    /// <inheritdoc cref="BackgroundDistances(Embeddings)"/>
    internal double[] BackgroundDistances(Matrix logits) => BackgroundDistances(Samples.Of(logits));

    private static Mahalanobis Fit(
        Samples samples, IReadOnlyList<int> labels, int numClasses, MahalanobisConvention convention, double shrinkage) =>
        Of(Estimate(samples, labels, numClasses, convention, shrinkage));

    /// <summary>Means and covariances, the ridge included: all that the scores need of the training features.</summary>
    internal static Gaussians Estimate(
        Samples samples, IReadOnlyList<int> labels, int numClasses, MahalanobisConvention convention, double shrinkage)
    {
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentOutOfRangeException.ThrowIfNegative(shrinkage);
        samples.CheckTrain("features");
        int[] counts = CountLabels(labels, samples.Count, numClasses);
        bool dropsSmallClasses = convention == MahalanobisConvention.Plp;
        int smallest = dropsSmallClasses ? 2 : 1;
        if (dropsSmallClasses ? counts.All(count => count < smallest) : counts.Contains(0))
        {
            throw new ArgumentException(
                dropsSmallClasses
                    ? "No class has two samples or more, expected at least one such class: a covariance needs two."
                    : $"Class {Array.IndexOf(counts, 0)} has no sample, expected at least one of each of the {numClasses} classes. "
                        + $"Leave the class out, or use {nameof(MahalanobisConvention)}.{nameof(MahalanobisConvention.Plp)}, which does.",
                nameof(labels));
        }

        (double[]?[] means, double[] globalMean) = Means(samples, labels, counts, smallest);
        int total = samples.Count;
        int keptClasses = counts.Count(count => count >= smallest);

        // Each row enters Σ with its own weight, which turns every convention into one pass of outer products.
        double WithinWeight(int label) => convention switch
        {
            MahalanobisConvention.Plp => 1.0 / (counts[label] - 1) / keptClasses,
            MahalanobisConvention.PytorchOod => 1.0 / (total - 1),
            _ => 1.0 / total,
        };
        double totalWeight = convention switch
        {
            MahalanobisConvention.Plp => 1.0 / (total - 1),
            MahalanobisConvention.PytorchOod => 1,
            _ => 1.0 / total,
        };

        double[] shared = samples.SumOfOuterProducts((i, row) =>
        {
            if (means[labels[i]] is { } mean)
            {
                TensorPrimitives.Subtract(row, mean, row);
                TensorPrimitives.Multiply(row, Math.Sqrt(WithinWeight(labels[i])), row);
            }
            else
            {
                Array.Clear(row);
            }
        });
        double[] background = samples.SumOfOuterProducts((_, row) =>
        {
            TensorPrimitives.Subtract(row, globalMean, row);
            TensorPrimitives.Multiply(row, Math.Sqrt(totalWeight), row);
        });

        AddToDiagonal(shared, samples.Width, shrinkage, convention);
        AddToDiagonal(background, samples.Width, shrinkage, convention);
        return new Gaussians(means, globalMean, shared, background, convention, total);
    }

    /// <summary>The scores of class statistics that were estimated before.</summary>
    /// <exception cref="InvalidOperationException">A covariance is singular and the convention inverts it.</exception>
    internal static Mahalanobis Of(Gaussians statistics)
    {
        int width = statistics.GlobalMean.Length;
        Whitening Invert(double[] covariance, string what) => statistics.Convention == MahalanobisConvention.OpenOod
            ? Whitening.FromPseudoInverse(covariance, width)
            : Whitening.FromInverse(covariance, width) ?? throw new InvalidOperationException(string.Create(
                CultureInfo.InvariantCulture,
                $"The {what} covariance of {statistics.Rows} rows and {width} features in {statistics.Means.Count(mean => mean is not null)} classes is singular to double precision. ")
                + $"Use more rows, or pass shrinkage: Mahalanobis.SuggestedShrinkage ({SuggestedShrinkage}).");
        return new Mahalanobis(
            Invert(statistics.Shared, "shared"), Invert(statistics.Background, "background"), statistics.Means, statistics.GlobalMean, statistics.Convention);
    }

    /// <summary>
    /// The shrinkage that makes the error of the shared covariance smallest in expectation, from the samples alone: with fewer images than
    /// features, much of it is noise.
    /// </summary>
    /// <param name="features">Training features, shape (N, D).</param>
    /// <param name="labels">N class numbers, each 0 to K−1.</param>
    /// <param name="numClasses">K.</param>
    /// <returns>The ridge as <c>Fit</c> takes it, in units of tr(Σ)/D; at most 100.</returns>
    /// <remarks>Ledoit and Wolf 2004, "A well-conditioned estimator for large-dimensional covariance matrices": ρ/(1 − ρ) of its ρ.</remarks>
    internal static double LedoitWolf(Embeddings features, IReadOnlyList<int> labels, int numClasses)
    {
        Samples samples = Samples.Of(features);
        (double[]?[] means, _) = Means(samples, labels, CountLabels(labels, samples.Count, numClasses), smallest: 1);
        double fourth = 0, trace = 0;
        double[] covariance = samples.SumOfOuterProducts((i, row) => TensorPrimitives.Subtract(row, means[labels[i]]!, row));
        double[] centred = new double[samples.Width];
        for (int i = 0; i < samples.Count; i++)
        {
            samples.CopyRow(i, centred);
            TensorPrimitives.Subtract(centred, means[labels[i]]!, centred);
            double squares = TensorPrimitives.SumOfSquares<double>(centred);
            trace += squares / samples.Count;
            fourth += squares * squares;
        }

        double n = samples.Count;
        double norm = TensorPrimitives.SumOfSquares<double>(covariance) / (n * n);
        double noise = (fourth - (n * norm)) / (n * n);
        double spread = norm - (trace * trace / samples.Width);
        double share = spread > 0 ? Math.Clamp(noise / spread, 0, 1) : 1;
        return Math.Min(share / Math.Max(1 - share, 1e-9), 100);
    }

    private static int[] CountLabels(IReadOnlyList<int> labels, int rows, int numClasses)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(numClasses, 1);
        if (labels.Count != rows)
        {
            throw new ArgumentException($"Got {labels.Count} labels for {rows} rows, expected one per row.", nameof(labels));
        }

        int[] counts = new int[numClasses];
        for (int i = 0; i < labels.Count; i++)
        {
            if ((uint)labels[i] >= (uint)numClasses)
            {
                throw new ArgumentException($"Label {labels[i]} of row {i} is out of range, expected 0 to {numClasses - 1}.", nameof(labels));
            }

            counts[labels[i]]++;
        }

        return counts;
    }

    private static (double[]?[] Class, double[] Global) Means(Samples samples, IReadOnlyList<int> labels, int[] counts, int smallest)
    {
        double[]?[] means = [.. counts.Select(count => count >= smallest ? new double[samples.Width] : null)];
        double[] global = new double[samples.Width];
        double[] row = new double[samples.Width];
        for (int i = 0; i < samples.Count; i++)
        {
            samples.CopyRow(i, row);
            TensorPrimitives.Add(global, row, global);
            if (means[labels[i]] is { } mean)
            {
                TensorPrimitives.Add(mean, row, mean);
            }
        }

        TensorPrimitives.Divide(global, samples.Count, global);
        for (int c = 0; c < means.Length; c++)
        {
            if (means[c] is { } mean)
            {
                TensorPrimitives.Divide(mean, counts[c], mean);
            }
        }

        return (means, global);
    }

    private static void AddToDiagonal(double[] covariance, int width, double shrinkage, MahalanobisConvention convention)
    {
        double trace = 0;
        for (int i = 0; i < width; i++)
        {
            trace += covariance[(i * width) + i];
        }

        double ridge = (shrinkage * trace / width) + (convention == MahalanobisConvention.PytorchOod ? 1e-6 : 0);
        for (int i = 0; i < width; i++)
        {
            covariance[(i * width) + i] += ridge;
        }
    }

    private static double[] Apply(Whitening whitening, double[] vector)
    {
        double[] result = new double[vector.Length];
        whitening.Apply(vector, result);
        return result;
    }

    private static double SquaredDistance(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        double distance = TensorPrimitives.Distance(x, y);
        return distance * distance;
    }

    private IdScores Mds(Samples samples)
    {
        Matrix distances = ClassDistances(samples);
        return IdScores.FromOodHigh("MDS", [.. Enumerable.Range(0, distances.Rows).Select(i => TensorPrimitives.Min(distances[i]))]);
    }

    private IdScores Rmd(Samples samples)
    {
        Matrix distances = ClassDistances(samples);
        double[] background = BackgroundDistances(samples);
        return IdScores.FromOodHigh("RMD", [.. background.Select((d0, i) => TensorPrimitives.Min(distances[i]) - d0)]);
    }

    private Matrix ClassDistances(Samples samples)
    {
        double[] distances = new double[samples.Count * NumClasses];
        ForEachWhitened(samples, _shared, (i, row) =>
        {
            for (int c = 0; c < NumClasses; c++)
            {
                distances[(i * NumClasses) + c] = _whitenedMeans[c] is { } mean ? SquaredDistance(row, mean) : double.PositiveInfinity;
            }
        });
        return new Matrix(samples.Count, NumClasses, distances);
    }

    private double[] BackgroundDistances(Samples samples)
    {
        double[] distances = new double[samples.Count];
        ForEachWhitened(samples, _background, (i, row) => distances[i] = SquaredDistance(row, _whitenedGlobalMean));
        return distances;
    }

    private void ForEachWhitened(Samples samples, Whitening whitening, Action<int, double[]> action)
    {
        samples.CheckWidth(Width, "features");
        Parallel.For(
            0,
            samples.Count,
            () => (Row: new double[Width], Whitened: new double[Width]),
            (i, _, buffers) =>
            {
                samples.CopyRow(i, buffers.Row);
                whitening.Apply(buffers.Row, buffers.Whitened);
                action(i, buffers.Whitened);
                return buffers;
            },
            _ => { });
    }

    /// <summary>The detectors of this file, each in its one configuration.</summary>
    internal static IReadOnlyList<Detector> Detectors { get; } =
    [
        new ImageDetector(
            new()
            {
                Key = "mds",
                Name = "MDS",
                Family = DetectorFamily.IdFeatures,
                Authors = "Lee et al.",
                Title = "A Simple Unified Framework for Detecting Out-of-Distribution Samples and Adversarial Attacks",
                Year = 2018,
                Url = new Uri("https://arxiv.org/abs/1807.03888"),
                ReferenceCode = "pokaxpoka/deep_Mahalanobis_detector",
                Equation = "−min over classes of (x − μ)ᵀ Σ⁻¹ (x − μ)",
                Needs = DetectorInputs.Features | DetectorInputs.Labels | DetectorInputs.TrainImages,
                Member = "Mahalanobis.Mds",
                Notebook = 13,
                Golden = "mahalanobis",
                Hyperparameters =
                [
                    new("shrinkage", SuggestedShrinkage, 0, "enough to invert a covariance of fewer images than features"),
                ],
            },
            fit => images => Of(fit).Mds(images.Features)),
        new ImageDetector(
            new()
            {
                Key = "rmd",
                Name = "RMD",
                Family = DetectorFamily.IdFeatures,
                Authors = "Ren et al.",
                Title = "A Simple Fix to Mahalanobis Distance for Improving Near-OOD Detection",
                Year = 2021,
                Url = new Uri("https://arxiv.org/abs/2106.09022"),
                ReferenceCode = "Jingkang50/OpenOOD",
                Equation = "−min over classes of (d − d₀), d of the class as in MDS, d₀ of all training data",
                Needs = DetectorInputs.Features | DetectorInputs.Labels | DetectorInputs.TrainImages,
                Member = "Mahalanobis.Rmd",
                Notebook = 13,
                Golden = "mahalanobis",
                Hyperparameters =
                [
                    new("shrinkage", SuggestedShrinkage, 0, "enough to invert a covariance of fewer images than features"),
                ],
            },
            fit => images => Of(fit).Rmd(images.Features)),
    ];

    private static Mahalanobis Of(Fitting fit) => fit.Known.Shared(
        FormattableString.Invariant($"gaussians {fit["shrinkage"]:R}"),
        () => Fit(fit.Known.Train.Features, fit.Known.Train.Labels, fit.Known.NumClasses, shrinkage: fit["shrinkage"]));
}

/// <summary>Class statistics of N training rows.</summary>
/// <param name="Means">Mean of each class, D values; null for a class that the convention leaves out.</param>
/// <param name="GlobalMean">Mean of all rows.</param>
/// <param name="Shared">Σ with its ridge, (D, D), row-major.</param>
/// <param name="Background">Σ₀ with its ridge, (D, D), row-major.</param>
/// <param name="Convention">What the covariances are.</param>
/// <param name="Rows">N.</param>
internal sealed record Gaussians(
    double[]?[] Means, double[] GlobalMean, double[] Shared, double[] Background, MahalanobisConvention Convention, int Rows);
