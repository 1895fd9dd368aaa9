using MathNet.Numerics.Distributions;

namespace ClipOod.Notebook;

/// <summary>
/// Bootstrap draws of the ID and OOD images of a pair, made once and used for every detector, so that detectors are compared on the
/// same images. Each side is drawn from itself, with replacement, as many as there are.
/// </summary>
/// <remarks>
/// Intervals are symmetric on the logit scale: logit of the estimate ± t · standard error of the logit over the draws, t with as many
/// degrees of freedom as the smaller side has images, less one. A simulation in the tests holds their coverage to 92 to 98 % for AUROC,
/// FPR95 and average precision of AUROC 0.6 to 0.98, from 100 images a side, and 200/50, on; percentile intervals covered 83 to 95 %.
/// Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapters 12 and 13.
/// </remarks>
public sealed class Resamples
{
    // With 30 ID images the threshold of 95 % rests on one or two of them: 87 to 92 % of the intervals of FPR95 held the true value in
    // simulations of 30 ID and 500 OOD images, 96 to 97 % in those of 50 and 50.
    private const int FewAtThreshold = 50;

    private readonly byte[] _id;
    private readonly byte[] _ood;

    /// <summary>Makes the draws.</summary>
    /// <param name="idCount">Number of ID images, at least 2.</param>
    /// <param name="oodCount">Number of OOD images, at least 2.</param>
    /// <param name="count">Number of resamples, at least 2; they take a byte per image each. Defaults to 1,000.</param>
    /// <param name="seed">Seed of the draws. Defaults to 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 2.</exception>
    public Resamples(int idCount, int oodCount, int count = 1000, int seed = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(idCount, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(oodCount, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 2);
        IdCount = idCount;
        OodCount = oodCount;
        Count = count;
        var random = new Random(seed);
        _id = Draw(random, idCount, count);
        _ood = Draw(random, oodCount, count);
    }

    /// <summary>Number of ID images.</summary>
    public int IdCount { get; }

    /// <summary>Number of OOD images.</summary>
    public int OodCount { get; }

    /// <summary>Number of resamples.</summary>
    public int Count { get; }

    /// <summary>A metric of one detector on all images and on every resample.</summary>
    /// <param name="id">Scores of the ID images, in the order that all detectors share.</param>
    /// <param name="ood">Scores of the OOD images, in the order that all detectors share.</param>
    /// <param name="metric">A metric of ID and OOD scores.</param>
    /// <exception cref="ArgumentException">The numbers of scores are not those of the draws.</exception>
    public ResampledMetric Of(IdScores id, IdScores ood, Metric metric)
    {
        ArgumentNullException.ThrowIfNull(id);
        ArgumentNullException.ThrowIfNull(ood);
        ArgumentNullException.ThrowIfNull(metric);
        if (id.Count != IdCount || ood.Count != OodCount)
        {
            throw new ArgumentException(
                $"Got {id.Count} ID and {ood.Count} OOD scores of {id.Name}, expected {IdCount} and {OodCount}, those that the resamples are of.", nameof(id));
        }

        var sweep = new ThresholdSweep(id, ood);
        double estimate = metric.Of(sweep);
        int[] idPoints = sweep.PointsOf(id), oodPoints = sweep.PointsOf(ood);
        double[] values = new double[Count];
        Parallel.For(0, Count, () => (Id: new int[sweep.Last + 1], Ood: new int[sweep.Last + 1]), (r, _, drawn) =>
        {
            CountAtPoints(_id.AsSpan(r * IdCount, IdCount), idPoints, drawn.Id);
            CountAtPoints(_ood.AsSpan(r * OodCount, OodCount), oodPoints, drawn.Ood);
            values[r] = metric.Of(ThresholdSweep.OfCounts(drawn.Id, drawn.Ood, sweep.Last));
            return drawn;
        }, _ => { });
        return new ResampledMetric(this, metric, estimate, values, Interval(id, ood, metric, estimate, values));
    }

    /// <summary>t · √(n/(n − 1)) of 95 %: the draws of n images spread by √((n − 1)/n) too little.</summary>
    internal double Standard
    {
        get
        {
            int smaller = Math.Min(IdCount, OodCount);
            return StudentT.InvCDF(0, 1, smaller - 1, 0.975) * Math.Sqrt(smaller / (smaller - 1.0));
        }
    }

    internal static double Deviation(IReadOnlyList<double> values)
    {
        double mean = values.Average();
        return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1));
    }

    private Interval Interval(IdScores id, IdScores ood, Metric metric, double estimate, double[] values)
    {
        // Half of the smallest step keeps the logit of 0 and of 1 finite.
        int images = metric.ImagesOfRate(IdCount, OodCount);
        double step = images > 0 ? 1.0 / (images + 1) : 1.0 / ((double)IdCount * OodCount);
        double Logit(double value)
        {
            value = Math.Clamp(value, step / 2, 1 - (step / 2));
            return Math.Log(value / (1 - value));
        }

        double deviation = Deviation(Array.ConvertAll(values, Logit));
        if (images > 0)
        {
            // A rate of so many images is no surer than the binomial error of that many; where none was found, no draw shows it.
            double found = estimate * images;
            deviation = Math.Max(deviation, Math.Sqrt((1 / (found + 0.5)) + (1 / (images - found + 0.5))));
        }
        else if (Array.TrueForAll(values, value => value == estimate))
        {
            return OfThree(id, ood, metric, estimate);
        }

        double center = Logit(estimate), reach = Standard * deviation;
        return new Interval(
            Math.Min(estimate, Logistic(center - reach)), Math.Max(estimate, Logistic(center + reach)), estimate)
        {
            MeasuredCoverage = images > 0 && IdCount + OodCount - images < FewAtThreshold ? 0.87 : null,
        };
    }

    /// <summary>Where every draw gives the same, such as for separated sides: what three more errors of the smaller side would make of it.</summary>
    private static Interval OfThree(IdScores id, IdScores ood, Metric metric, double estimate)
    {
        double[] Moved(IdScores scores, double to)
        {
            double[] values = scores.ToArray();
            int[] order = [.. Enumerable.Range(0, values.Length).OrderBy(i => double.IsPositive(to) ? -values[i] : values[i]).Take(3)];
            foreach (int i in order)
            {
                values[i] = to;
            }

            return values;
        }

        bool moveId = id.Count < ood.Count;
        double[] bounds =
        [
            estimate,
            .. ((double[])[double.NegativeInfinity, double.PositiveInfinity]).Select(to => moveId
                ? metric.Of(new IdScores(id.Name, Moved(id, to)), ood)
                : metric.Of(id, new IdScores(ood.Name, Moved(ood, to)))),
        ];
        return new Interval(bounds.Min(), bounds.Max(), estimate);
    }

    private static double Logistic(double value) => 1 / (1 + Math.Exp(-value));

    private static void CountAtPoints(ReadOnlySpan<byte> drawn, int[] points, int[] counts)
    {
        Array.Clear(counts);
        for (int i = 0; i < drawn.Length; i++)
        {
            counts[points[i]] += drawn[i];
        }
    }

    private static byte[] Draw(Random random, int images, int count)
    {
        byte[] drawn = new byte[checked(images * count)];
        for (int r = 0; r < count; r++)
        {
            Span<byte> resample = drawn.AsSpan(r * images, images);
            for (int i = 0; i < images; i++)
            {
                // That one image is drawn more than 255 times is impossible up to 255 images and beyond all chance above.
                checked
                {
                    resample[random.Next(images)]++;
                }
            }
        }

        return drawn;
    }
}

/// <summary>A metric of one detector on all images and on every resample, by <see cref="Resamples.Of"/>.</summary>
public sealed class ResampledMetric
{
    private readonly Resamples _resamples;
    private readonly double[] _values;

    internal ResampledMetric(Resamples resamples, Metric metric, double estimate, double[] values, Interval interval)
    {
        _resamples = resamples;
        _values = values;
        Metric = metric;
        Estimate = estimate;
        Interval = interval;
    }

    /// <summary>The metric.</summary>
    public Metric Metric { get; }

    /// <summary>Its value on all images.</summary>
    public double Estimate { get; }

    /// <summary>Its 95 % interval.</summary>
    public Interval Interval { get; }

    /// <summary>Its value on each resample.</summary>
    public IReadOnlyList<double> Values => _values;

    /// <summary>
    /// The difference to another detector on the same images: difference ± t · standard error of the difference over the draws. Where
    /// both are alike on every draw, the interval has no width.
    /// </summary>
    /// <param name="other">The same metric of another detector, of the same resamples.</param>
    /// <exception cref="ArgumentException">The other is of other resamples or of another metric.</exception>
    public PairedDifference Minus(ResampledMetric other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other._resamples != _resamples || other.Metric != Metric)
        {
            throw new ArgumentException(
                $"Got {other.Metric}{(other._resamples == _resamples ? "" : " of other resamples")}, expected {Metric} of the same resamples: detectors are compared on the same draws.",
                nameof(other));
        }

        double estimate = Estimate - other.Estimate;
        double deviation = Resamples.Deviation([.. _values.Zip(other._values, (a, b) => a - b)]);
        int smaller = Math.Min(_resamples.IdCount, _resamples.OodCount);
        double error = deviation * Math.Sqrt(smaller / (smaller - 1.0));
        double p = estimate == 0 ? 1 : error == 0 ? 0 : 2 * StudentT.CDF(0, 1, smaller - 1, -Math.Abs(estimate) / error);
        double reach = deviation * _resamples.Standard;

        // Where hardly an image is out of order, differences are skewed: 86 to 92 % held the true one in simulations of AUROC 0.995 and 0.98.
        bool nearEnd = Metric.ImagesOfRate(1, 1) == 0 && Math.Max(Estimate, other.Estimate) > 0.99;
        return new PairedDifference(
            new Interval(estimate - reach, estimate + reach, estimate) { MeasuredCoverage = nearEnd ? 0.86 : null }, p);
    }
}

/// <summary>The difference of two detectors on the same images, or in the same runs.</summary>
/// <param name="Interval">The difference with its 95 % interval.</param>
/// <param name="PValue">Two-sided p-value of no difference, in [0, 1]; below 0.05 where the interval leaves 0 out.</param>
public sealed record PairedDifference(Interval Interval, double PValue);
