using CsCheck;

namespace ClipOod.Notebook.Tests;

public sealed class MetricsTests
{
    private static readonly double[] _specialScores =
        [double.NegativeInfinity, -1e300, -1, -double.Epsilon, -0.0, 0.0, double.Epsilon, 1e-310, 1, 1e300, double.PositiveInfinity];

    public static TheoryData<string> GoldenCases => [.. Golden.Get("ood_metrics", "cases").Names];

    [Theory]
    [MemberData(nameof(GoldenCases))]
    public void Metrics_OnTheGoldenCases_AgreeWithTheSpecification(string name)
    {
        Golden golden = Golden.Get("ood_metrics", "cases", name);
        IdScores id = ScoreGen.Scores(golden["id_scores"].Numbers), ood = ScoreGen.Scores(golden["ood_scores"].Numbers);
        void Check(string key, double actual) =>
            Golden.AssertClose(golden["expected", key].Number, actual, Golden.ToleranceOfDoubles, $" of {key}");

        Check("auroc", Metrics.Auroc(id, ood));
        Check("ap_id_positive", Metrics.AveragePrecision(id, ood, Positive.Id));
        Check("ap_ood_positive", Metrics.AveragePrecision(id, ood, Positive.Ood));
        Check("aupr_in_trapezoid", Metrics.AuprTrapezoid(id, ood, Positive.Id));
        Check("aupr_out_trapezoid", Metrics.AuprTrapezoid(id, ood, Positive.Ood));
        Check("fpr95_clipn_plp_interp", Metrics.FprAtTpr(id, ood, FprConvention.Interp));
        Check("fpr95_mcm_nearest_recall", Metrics.FprAtTpr(id, ood, FprConvention.NearestRecall));
        Check("fpr95_id_positive_first_ge", Metrics.FprAtTpr(id, ood, FprConvention.FirstAtLeast));
        Check("fpr95_openood_oodpositive_dropcollinear", Metrics.FprAtTpr(id, ood, FprConvention.OpenOod));
        Check("fpr95_pytorchood_oodpositive", Metrics.FprAtTpr(id, ood, FprConvention.PytorchOod));
        Check("tnr_at_tpr95", Metrics.TnrAtTpr95(id, ood));
        Check("detection_error_min", Metrics.DetectionError(id, ood));
        Check("detection_accuracy_max", Metrics.Evaluate(id, ood).DetectionAccuracy);
        Check("best_f1_id_positive", Metrics.BestF1(id, ood, Positive.Id));
        Check("best_f1_ood_positive", Metrics.BestF1(id, ood, Positive.Ood));
        CurvePoints roc = Metrics.RocCurve(id, ood);
        Golden.AssertClose(golden["expected", "roc_points_fpr"].Numbers, roc.X, Golden.ToleranceOfDoubles);
        Golden.AssertClose(golden["expected", "roc_points_tpr"].Numbers, roc.Y, Golden.ToleranceOfDoubles);
    }

    [Theory]
    [MemberData(nameof(GoldenCases))]
    public void Evaluate_EqualsTheSingleMetrics(string name)
    {
        Golden golden = Golden.Get("ood_metrics", "cases", name);
        IdScores id = ScoreGen.Scores(golden["id_scores"].Numbers), ood = ScoreGen.Scores(golden["ood_scores"].Numbers);
        foreach (FprConvention convention in Enum.GetValues<FprConvention>())
        {
            var expected = new OodMetrics("score", id.Count, ood.Count)
            {
                Auroc = Metrics.Auroc(id, ood),
                AveragePrecisionId = Metrics.AveragePrecision(id, ood, Positive.Id),
                AveragePrecisionOod = Metrics.AveragePrecision(id, ood, Positive.Ood),
                AuprTrapezoidId = Metrics.AuprTrapezoid(id, ood, Positive.Id),
                AuprTrapezoidOod = Metrics.AuprTrapezoid(id, ood, Positive.Ood),
                Fpr95 = Metrics.FprAtTpr(id, ood, convention),
                Convention = convention,
                TnrAtTpr95 = Metrics.TnrAtTpr95(id, ood),
                DetectionError = Metrics.DetectionError(id, ood),
                BestF1Id = Metrics.BestF1(id, ood, Positive.Id),
                BestF1Ood = Metrics.BestF1(id, ood, Positive.Ood),
            };
            Assert.Equal(expected, Metrics.Evaluate(id, ood, convention));
        }
    }

    [Fact]
    public void Auroc_EqualsTheMannWhitneyCount() => ScoreGen.Pairs.Sample((id, ood) =>
    {
        long doubled = id.Sum(i => ood.Sum(o => i > o ? 2L : i == o ? 1 : 0));
        Assert.Equal(doubled / (2.0 * id.Length * ood.Length), Metrics.Auroc(ScoreGen.Scores(id), ScoreGen.Scores(ood)));
    });

    [Fact]
    public void Fpr_OfEveryConvention_EqualsTheRuleOfTheTable() =>
        Gen.Select(ScoreGen.Pairs, Gen.OneOf(0.95, 0.5, 0.75, 0.9, 1)).Sample((pair, tpr) =>
        {
            IdScores id = ScoreGen.Scores(pair.Id), ood = ScoreGen.Scores(pair.Ood);
            foreach (FprConvention convention in Enum.GetValues<FprConvention>())
            {
                double expected = FprReference.Fpr(pair.Id, pair.Ood, convention, tpr);
                Golden.AssertClose(expected, Metrics.FprAtTpr(id, ood, convention, tpr), 1e-12, $" by {convention} at {tpr}");
            }
        });

    [Fact]
    public void PrecisionRecall_EqualsItsDefinitions() => ScoreGen.Pairs.Sample((idValues, oodValues) =>
    {
        IdScores id = ScoreGen.Scores(idValues), ood = ScoreGen.Scores(oodValues);
        double ap = 0, area = 0, best = 0, recall = 0, previousPrecision = 1;
        foreach (double threshold in idValues.Concat(oodValues).Distinct().OrderDescending())
        {
            double tp = idValues.Count(v => v >= threshold), fp = oodValues.Count(v => v >= threshold);
            double nextRecall = tp / idValues.Length, precision = tp / (tp + fp);
            ap += (nextRecall - recall) * precision;
            area += (nextRecall - recall) * (precision + previousPrecision) / 2;
            double f1 = 2 * tp / (tp + fp + idValues.Length);
            best = Math.Max(best, f1);
            ScoreGen.AssertClose(f1, Metrics.F1AtThreshold(id, ood, threshold, Positive.Id));
            (recall, previousPrecision) = (nextRecall, precision);
        }

        ScoreGen.AssertClose(ap, Metrics.AveragePrecision(id, ood, Positive.Id));
        ScoreGen.AssertClose(area, Metrics.AuprTrapezoid(id, ood, Positive.Id));
        ScoreGen.AssertClose(best, Metrics.BestF1(id, ood, Positive.Id));
    });

    [Fact]
    public void Metrics_OnShuffledScores_StayTheSame() =>
        Gen.Select(ScoreGen.Pairs, Gen.Int).Sample((pair, seed) =>
        {
            var random = new Random(seed);
            double[] id = [.. pair.Id], ood = [.. pair.Ood];
            random.Shuffle(id);
            random.Shuffle(ood);
            Assert.Equal(
                Metrics.Evaluate(ScoreGen.Scores(pair.Id), ScoreGen.Scores(pair.Ood)),
                Metrics.Evaluate(ScoreGen.Scores(id), ScoreGen.Scores(ood)));
        });

    [Fact]
    public void Metrics_UnderAStrictlyIncreasingMap_StayTheSame() => ScoreGen.Pairs.Sample((id, ood) =>
    {
        // Whole multiples of a quarter up to 50 stay distinct.
        static double Map(double v) => (v * v * v) + Math.Atan(v) - 7;
        foreach (FprConvention convention in Enum.GetValues<FprConvention>())
        {
            Assert.Equal(
                Metrics.Evaluate(ScoreGen.Scores(id), ScoreGen.Scores(ood), convention),
                Metrics.Evaluate(ScoreGen.Scores(id.Select(Map)), ScoreGen.Scores(ood.Select(Map)), convention));
        }
    });

    [Fact]
    public void Auroc_WhenTheSidesSwap_IsOneMinusItself() => ScoreGen.Pairs.Sample((id, ood) => ScoreGen.AssertClose(
        1 - Metrics.Auroc(ScoreGen.Scores(id), ScoreGen.Scores(ood)), Metrics.Auroc(ScoreGen.Scores(ood), ScoreGen.Scores(id))));

    [Fact]
    public void Metrics_WhenTheSidesSwapAndScoresNegate_SwapTheirOrientations() => ScoreGen.Pairs.Sample((idValues, oodValues) =>
    {
        OodMetrics metrics = Metrics.Evaluate(ScoreGen.Scores(idValues), ScoreGen.Scores(oodValues), FprConvention.FirstAtLeast);
        (IdScores id, IdScores ood) = ScoreGen.Mirrored(idValues, oodValues);
        OodMetrics mirrored = Metrics.Evaluate(id, ood, FprConvention.PytorchOod);
        Assert.Equal(metrics.Auroc, mirrored.Auroc);
        Assert.Equal(metrics.DetectionError, mirrored.DetectionError);
        Assert.Equal(metrics.Fpr95, mirrored.Fpr95);
        Assert.Equal(metrics.AveragePrecisionId, mirrored.AveragePrecisionOod);
        Assert.Equal(metrics.AuprTrapezoidOod, mirrored.AuprTrapezoidId);
        Assert.Equal(metrics.BestF1Id, mirrored.BestF1Ood);
    });

    [Fact]
    public void Curves_ReachEachPointAtItsThreshold() => ScoreGen.Pairs.Sample((idValues, oodValues) =>
    {
        IdScores id = ScoreGen.Scores(idValues), ood = ScoreGen.Scores(oodValues);
        CurvePoints roc = Metrics.RocCurve(id, ood), pr = Metrics.PrCurve(id, ood, Positive.Ood);
        Assert.Equal(double.PositiveInfinity, roc.Thresholds[0]);
        for (int k = 0; k < roc.X.Count; k++)
        {
            Assert.Equal(oodValues.Count(v => v >= roc.Thresholds[k]) / (double)oodValues.Length, roc.X[k]);
            Assert.Equal(idValues.Count(v => v >= roc.Thresholds[k]) / (double)idValues.Length, roc.Y[k]);
        }

        // With OOD positive an image is found when its score is at or below the threshold.
        Assert.Equal((0, 1, double.NegativeInfinity), (pr.X[0], pr.Y[0], pr.Thresholds[0]));
        for (int k = 1; k < pr.X.Count; k++)
        {
            double found = oodValues.Count(v => v <= pr.Thresholds[k]), wrong = idValues.Count(v => v <= pr.Thresholds[k]);
            Assert.Equal(found / oodValues.Length, pr.X[k]);
            Assert.Equal(found / (found + wrong), pr.Y[k]);
        }
    });

    [Fact]
    public void ThresholdAtTpr_IsTheLargestThatAcceptsEnough() => ScoreGen.Pairs.Sample((id, ood) =>
    {
        double threshold = Metrics.ThresholdAtTpr(ScoreGen.Scores(id));
        Assert.True(id.Count(v => v >= threshold) / (double)id.Length >= 0.95);
        Assert.True(id.Count(v => v > threshold) / (double)id.Length < 0.95);
        Assert.Equal(
            ood.Count(v => v >= threshold) / (double)ood.Length,
            Metrics.FprAtTpr(ScoreGen.Scores(id), ScoreGen.Scores(ood), FprConvention.FirstAtLeast));
    });

    [Fact]
    public void Metrics_OnInfiniteAndSubnormalScores_OrderThemAsNumbers() =>
        Gen.Select(Gen.OneOf(_specialScores).Array[1, 20], Gen.OneOf(_specialScores).Array[1, 20]).Sample((id, ood) =>
        {
            double[] ranks = [.. _specialScores.Distinct()];
            IdScores Ranked(double[] values) => ScoreGen.Scores(values.Select(v => (double)Array.IndexOf(ranks, v)));
            Assert.Equal(
                Metrics.Evaluate(Ranked(id), Ranked(ood)), Metrics.Evaluate(ScoreGen.Scores(id), ScoreGen.Scores(ood)));
        });

    [Fact]
    public void Metrics_WhenZerosDifferInSign_AreTied() =>
        Assert.Equal(0.5, Metrics.Auroc(ScoreGen.Scores([0.0, -0.0]), ScoreGen.Scores([-0.0, 0.0, 0.0])));

    [Theory]
    [InlineData(FprConvention.FirstAtLeast, 1)]
    [InlineData(FprConvention.Interp, 0.95)]
    [InlineData(FprConvention.NearestRecall, 1)]
    [InlineData(FprConvention.OpenOod, 1)]
    [InlineData(FprConvention.PytorchOod, 1)]
    public void Metrics_WhenAllScoresAreEqual_AreThoseOfChance(FprConvention convention, double fpr95)
    {
        OodMetrics metrics = Metrics.Evaluate(ScoreGen.Scores([3, 3, 3]), ScoreGen.Scores([3, 3]), convention);
        Assert.Equal((0.5, fpr95), (metrics.Auroc, metrics.Fpr95));
    }

    [Fact]
    public void Auroc_OfMoreImagesThanASingleCanCount_IsExact()
    {
        // 2^24 + 3 and 2^17 images: 32-bit counters of pairs and single-precision sums would both be wrong.
        double[] id = new double[(1 << 24) + 3];
        id[0] = -1;
        Assert.Equal(
            (id.Length - 1) / (double)id.Length / 2, Metrics.Auroc(ScoreGen.Scores(id), ScoreGen.Scores(new double[1 << 17])));
    }

    [Fact]
    public void Metrics_OfAnEmptySide_SayWhichOne()
    {
        IdScores one = ScoreGen.Scores([1]), none = ScoreGen.Scores([]);
        Assert.Contains("no ID scores", Assert.Throws<ArgumentException>("id", () => Metrics.Auroc(none, one)).Message, StringComparison.Ordinal);
        Assert.Contains("no OOD scores", Assert.Throws<ArgumentException>("ood", () => Metrics.Evaluate(one, none)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>("ood", () => Metrics.F1AtThreshold(one, none, 0, Positive.Id));
        Assert.Throws<ArgumentException>("id", () => Metrics.ThresholdAtTpr(none));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1.01)]
    [InlineData(double.NaN)]
    public void FprAtTpr_OfARateThatIsNone_Throws(double tpr) => Assert.Throws<ArgumentOutOfRangeException>(
        nameof(tpr), () => Metrics.FprAtTpr(ScoreGen.Scores([1]), ScoreGen.Scores([0]), FprConvention.Interp, tpr));

    [Fact]
    public void F1AtThreshold_OfNaN_Throws() => Assert.Throws<ArgumentException>(
        "threshold", () => Metrics.F1AtThreshold(ScoreGen.Scores([1]), ScoreGen.Scores([0]), double.NaN, Positive.Id));

    [Fact]
    public void F1AtThreshold_WithOodPositive_CountsTheRejected() =>
        Assert.Equal(0.8, Metrics.F1AtThreshold(ScoreGen.Scores([3, 2, 1]), ScoreGen.Scores([0, 0]), 1.5, Positive.Ood));

    [Fact]
    public void OodMetrics_ToHtml_EscapesTheNameOfTheScore()
    {
        OodMetrics metrics = Metrics.Evaluate(new IdScores("<b>", [1]), ScoreGen.Scores([0]));
        Assert.Contains("&lt;b&gt;", metrics.ToHtml(), StringComparison.Ordinal);
        Assert.Contains("100.00 %", metrics.ToString(), StringComparison.Ordinal);
    }
}
