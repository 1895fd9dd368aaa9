using System.Globalization;
using MathNet.Numerics.Distributions;

namespace ClipOod.Notebook.Tests;

/// <summary>
/// How often intervals of simulated data hold the true value: nominally 95 %. Normal scores of deviation 1, ID and OOD apart by what
/// gives the AUROC. CLIPOOD_COVERAGE=2000 simulates as many data sets of each case instead of 150 and prints the coverages.
/// </summary>
public sealed class CoverageTests
{
    private static readonly int _dataSets = int.Parse(Environment.GetEnvironmentVariable("CLIPOOD_COVERAGE") ?? "150", CultureInfo.InvariantCulture);

    private static readonly Metric[] _metrics =
        [Metric.Auroc, Metric.Fpr95(FprConvention.FirstAtLeast), Metric.AveragePrecision(Positive.Id), Metric.AveragePrecision(Positive.Ood)];

    [Theory]
    [InlineData(100, 100)]
    [InlineData(200, 50)]
    [InlineData(1000, 200)]
    public void Interval_HoldsTheTrueValue(int idCount, int oodCount)
    {
        double[] aurocs = [0.6, 0.8, 0.9, 0.98];
        var draws = new Resamples(idCount, oodCount, 200, seed: 1);
        int[,] held = new int[_metrics.Length, aurocs.Length];
        for (int a = 0; a < aurocs.Length; a++)
        {
            double mean = Normal.InvCDF(0, Math.Sqrt(2), aurocs[a]);
            double[] truth = Truth(mean, idCount, oodCount);
            for (int d = 0; d < _dataSets; d++)
            {
                (IdScores id, IdScores ood) = ResamplesTests.Draw(idCount, oodCount, mean, seed: (1000 * a) + d);
                for (int m = 0; m < _metrics.Length; m++)
                {
                    Interval interval = draws.Of(id, ood, _metrics[m]).Interval;
                    held[m, a] += interval.Low <= truth[m] && truth[m] <= interval.High ? 1 : 0;
                }
            }
        }

        for (int m = 0; m < _metrics.Length; m++)
        {
            for (int a = 0; a < aurocs.Length; a++)
            {
                Judge($"{_metrics[m]}, AUROC {aurocs[a]}, {idCount}/{oodCount}", held[m, a]);
            }
        }
    }

    [Theory]
    [InlineData(100, 100)]
    [InlineData(1000, 200)]
    public void Difference_HoldsTheTrueValue(int idCount, int oodCount)
    {
        (double, double)[] aurocs = [(0.8, 0.85), (0.9, 0.9)];
        var draws = new Resamples(idCount, oodCount, 200, seed: 1);
        foreach ((double first, double second) in aurocs)
        {
            double[] means = [Normal.InvCDF(0, Math.Sqrt(2), first), Normal.InvCDF(0, Math.Sqrt(2), second)];
            double[][] truth = [.. means.Select(mean => Truth(mean, idCount, oodCount))];
            int[] held = new int[_metrics.Length];
            for (int d = 0; d < _dataSets; d++)
            {
                // The two detectors share half of their variance.
                (IdScores shared, IdScores sharedOod) = ResamplesTests.Draw(idCount, oodCount, 0, seed: d);
                var scores = means.Select((mean, s) =>
                {
                    (IdScores own, IdScores ownOod) = ResamplesTests.Draw(idCount, oodCount, 0, seed: 100_000 + (2 * d) + s);
                    IdScores Sum(IdScores a, IdScores b, double shift) =>
                        ScoreGen.Scores(a.Zip(b, (x, y) => shift + ((x + y) / Math.Sqrt(2))));
                    return (Id: Sum(shared, own, mean), Ood: Sum(sharedOod, ownOod, 0));
                }).ToArray();
                for (int m = 0; m < _metrics.Length; m++)
                {
                    Interval interval = draws.Of(scores[0].Id, scores[0].Ood, _metrics[m])
                        .Minus(draws.Of(scores[1].Id, scores[1].Ood, _metrics[m])).Interval;
                    double difference = truth[0][m] - truth[1][m];
                    held[m] += interval.Low <= difference && difference <= interval.High ? 1 : 0;
                }
            }

            for (int m = 0; m < _metrics.Length; m++)
            {
                Judge($"difference of {_metrics[m]}, AUROC {first} and {second}, {idCount}/{oodCount}", held[m]);
            }
        }
    }

    // So few data sets cannot tell 92 % from 94 %: each case has two standard errors to spare, which fall away with their number.
    private static void Judge(string what, int held)
    {
        double coverage = held / (double)_dataSets, spare = 2 * Math.Sqrt(0.95 * 0.05 / _dataSets);
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {100 * coverage:F1} %"));
        Assert.True(coverage >= 0.92 - spare && coverage <= 0.98 + spare, $"{what}: covers {coverage:P1}, expected 92 to 98 %.");
    }

    /// <summary>What each metric is of endlessly many images in the same proportion.</summary>
    private static double[] Truth(double mean, int idCount, int oodCount)
    {
        double step = 1.0 / 512, id = 0, ood = 0;
        for (double z = -8; z <= 8; z += step)
        {
            double weight = step * Normal.PDF(0, 1, z);
            double found = idCount * Normal.CDF(0, 1, -z), wrong = oodCount * Normal.CDF(0, 1, -(z + mean));
            id += weight * found / (found + wrong);
            (found, wrong) = (oodCount * Normal.CDF(0, 1, z), idCount * Normal.CDF(0, 1, z - mean));
            ood += weight * found / (found + wrong);
        }

        return [Normal.CDF(0, Math.Sqrt(2), mean), Normal.CDF(0, 1, Normal.InvCDF(0, 1, 0.95) - mean), id, ood];
    }
}
