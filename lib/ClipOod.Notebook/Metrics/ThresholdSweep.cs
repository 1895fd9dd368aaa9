namespace ClipOod.Notebook;

/// <summary>
/// What every threshold-free metric is made of: for each distinct score, from high to low, how many ID and how many
/// OOD images are accepted (score at or above it). Point 0 is the origin, at which nothing is accepted; point
/// <see cref="Last"/> accepts everything. One sort of each side, then one merge.
/// </summary>
internal sealed class ThresholdSweep
{
    /// <summary>From this many scores on, the two sides are sorted at the same time.</summary>
    private const int ParallelLength = 50_000;

    private readonly ulong[] _idKeys;
    private readonly ulong[] _oodKeys;
    private readonly int[] _idAccepted;
    private readonly int[] _oodAccepted;

    public ThresholdSweep(IdScores id, IdScores ood)
    {
        ArgumentNullException.ThrowIfNull(id);
        ArgumentNullException.ThrowIfNull(ood);
        ThrowIfEmpty(id, "ID", nameof(id));
        ThrowIfEmpty(ood, "OOD", nameof(ood));

        if (Math.Min(id.Count, ood.Count) >= ParallelLength)
        {
            ulong[] idKeys = [], oodKeys = [];
            Parallel.Invoke(
                () => idKeys = ScoreKeys.SortedAfterZero(id.Values),
                () => oodKeys = ScoreKeys.SortedAfterZero(ood.Values));
            (_idKeys, _oodKeys) = (idKeys, oodKeys);
        }
        else
        {
            _idKeys = ScoreKeys.SortedAfterZero(id.Values);
            _oodKeys = ScoreKeys.SortedAfterZero(ood.Values);
        }

        _idAccepted = GC.AllocateUninitializedArray<int>(checked(id.Count + ood.Count + 1));
        _oodAccepted = GC.AllocateUninitializedArray<int>(_idAccepted.Length);
        Last = Merge(_idKeys, _oodKeys, _idAccepted, _oodAccepted);
        IdCount = id.Count;
        OodCount = ood.Count;
    }

    private ThresholdSweep(int[] idAccepted, int[] oodAccepted, int last)
    {
        _idKeys = [];
        _oodKeys = [];
        _idAccepted = idAccepted;
        _oodAccepted = oodAccepted;
        Last = last;
        IdCount = idAccepted[last];
        OodCount = oodAccepted[last];
    }

    /// <summary>Number of the last point, which is the number of distinct scores.</summary>
    public int Last { get; }

    public int IdCount { get; }

    public int OodCount { get; }

    /// <summary>
    /// The sweep of images drawn anew, from how many were drawn at each point of another sweep; the arrays become the sweep's own.
    /// Points at which nothing was drawn fall away.
    /// </summary>
    /// <param name="id">Drawn ID images at each point; point 0 holds none.</param>
    /// <param name="ood">Drawn OOD images at each point.</param>
    /// <param name="last">Number of the last point.</param>
    public static ThresholdSweep OfCounts(int[] id, int[] ood, int last)
    {
        int point = 0;
        for (int k = 1; k <= last; k++)
        {
            int drawnId = id[k], drawnOod = ood[k];
            if ((drawnId | drawnOod) != 0)
            {
                point++;
                id[point] = id[point - 1] + drawnId;
                ood[point] = ood[point - 1] + drawnOod;
            }
        }

        return new ThresholdSweep(id, ood, point);
    }

    /// <summary>The point at which each image is accepted.</summary>
    /// <param name="scores">Scores of this sweep, in any order.</param>
    public int[] PointsOf(IdScores scores)
    {
        ulong[] ascending = [.. Enumerable.Range(1, Last).Select(Key).Reverse()];
        return [.. scores.Select(score => Last - Array.BinarySearch(ascending, ScoreKeys.Of(score)))];
    }

    /// <summary>The points from the most to the least positive image, with ID or OOD as the positive side.</summary>
    public SweepCurve Curve(Positive positive) => positive switch
    {
        Positive.Id => new SweepCurve(_idAccepted, _oodAccepted, IdCount, OodCount, Last, reversed: false),
        Positive.Ood => new SweepCurve(_oodAccepted, _idAccepted, OodCount, IdCount, Last, reversed: true),
        _ => throw new ArgumentOutOfRangeException(nameof(positive), positive, "Expected Positive.Id or Positive.Ood."),
    };

    /// <summary>The smallest score accepted at a point; +∞ at the origin.</summary>
    public double Threshold(int point) => point == 0 ? double.PositiveInfinity : ScoreKeys.ToScore(Key(point));

    public static void ThrowIfEmpty(IdScores scores, string side, string parameter)
    {
        if (scores.Count == 0)
        {
            throw new ArgumentException(
                $"Got no {side} scores ({scores.Name}), expected at least one: a metric compares ID images with OOD images.", parameter);
        }
    }

    private ulong Key(int point)
    {
        ulong lowestId = _idAccepted[point] == 0 ? ulong.MaxValue : _idKeys[^_idAccepted[point]];
        ulong lowestOod = _oodAccepted[point] == 0 ? ulong.MaxValue : _oodKeys[^_oodAccepted[point]];
        return Math.Min(lowestId, lowestOod);
    }

    /// <summary>Walks both sides from the top; each step takes at most one score of each, without a branch to mispredict.</summary>
    private static int Merge(ulong[] id, ulong[] ood, int[] idAccepted, int[] oodAccepted)
    {
        int i = id.Length - 1, j = ood.Length - 1, point = 0;
        idAccepted[0] = 0;
        oodAccepted[0] = 0;
        ulong key = ulong.MaxValue;

        // Both sides start with a 0, so that 0 is the largest key left only when everything is taken.
        for (ulong next = Math.Max(id[i], ood[j]); next != 0; next = Math.Max(id[i], ood[j]))
        {
            point += next == key ? 0 : 1;
            key = next;
            i -= id[i] == key ? 1 : 0;
            j -= ood[j] == key ? 1 : 0;
            idAccepted[point] = id.Length - 1 - i;
            oodAccepted[point] = ood.Length - 1 - j;
        }

        return point;
    }
}

/// <summary>The points of a <see cref="ThresholdSweep"/> seen with one side as the positive one.</summary>
internal readonly struct SweepCurve(int[] positives, int[] negatives, int positiveCount, int negativeCount, int last, bool reversed)
{
    /// <summary>Number of the last point; point 0 is the origin.</summary>
    public int Last => last;

    /// <summary>Positive images found at a point.</summary>
    public long TruePositives(int point) => reversed ? positiveCount - positives[last - point] : positives[point];

    /// <summary>Negative images taken for positive at a point.</summary>
    public long FalsePositives(int point) => reversed ? negativeCount - negatives[last - point] : negatives[point];

    public double Tpr(int point) => TruePositives(point) / (double)positiveCount;

    public double Fpr(int point) => FalsePositives(point) / (double)negativeCount;

    /// <summary>Precision at a point; 1 at the origin.</summary>
    public double Precision(int point)
    {
        long found = TruePositives(point);
        return point == 0 ? 1 : found / (double)(found + FalsePositives(point));
    }

    public double Auroc()
    {
        long doubledArea = 0;
        long tp = 0, fp = 0;
        for (int k = 1; k <= last; k++)
        {
            long nextTp = TruePositives(k), nextFp = FalsePositives(k);
            doubledArea += (nextFp - fp) * (nextTp + tp);
            (tp, fp) = (nextTp, nextFp);
        }

        return doubledArea / (2.0 * positiveCount * negativeCount);
    }

    /// <summary>Both areas under the precision-recall curve and the best F1, in one pass.</summary>
    public (double AveragePrecision, double Trapezoid, double BestF1) PrecisionRecall()
    {
        double step = 0, trapezoid = 0, previousPrecision = 1;
        long tp = 0, bestTp = 0, bestPredicted = 0;
        for (int k = 1; k <= last; k++)
        {
            // Without new positives there is no area and F1 only falls.
            long nextTp = TruePositives(k);
            double precision = nextTp / (double)(nextTp + FalsePositives(k));
            if (nextTp != tp)
            {
                step += (nextTp - tp) * precision;
                trapezoid += (nextTp - tp) * (precision + previousPrecision) / 2;
                tp = nextTp;

                // F1 = 2·tp / (predicted + positives), compared without a division.
                long predicted = nextTp + FalsePositives(k);
                if ((double)nextTp * (bestPredicted + positiveCount) > (double)bestTp * (predicted + positiveCount))
                {
                    (bestTp, bestPredicted) = (nextTp, predicted);
                }
            }

            previousPrecision = precision;
        }

        return (step / positiveCount, trapezoid / positiveCount, 2.0 * bestTp / (bestPredicted + positiveCount));
    }

    /// <summary>min ½(1 − TPR + FPR) over the points.</summary>
    public double DetectionError()
    {
        // TPR − FPR as a fraction with the denominator positives · negatives stays exact.
        long best = 0;
        for (int k = 1; k <= last; k++)
        {
            best = Math.Max(best, (TruePositives(k) * negativeCount) - (FalsePositives(k) * positiveCount));
        }

        return (1 - (best / ((double)positiveCount * negativeCount))) / 2;
    }

    /// <summary>The first point whose TPR is at least <paramref name="tpr"/>.</summary>
    public int FirstAtLeast(double tpr)
    {
        int low = 0, high = last;
        while (low < high)
        {
            int middle = low + ((high - low) / 2);
            (low, high) = Tpr(middle) >= tpr ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    /// <summary>FPR interpolated at a TPR; of several points at exactly that TPR the last counts.</summary>
    public double InterpolatedFpr(double tpr)
    {
        int right = FirstAtLeast(tpr);
        while (right < last && Tpr(right) <= tpr)
        {
            right++;
        }

        // Now Tpr(right) is the first above the level, unless the curve ends at the level.
        if (Tpr(right) <= tpr)
        {
            return Fpr(right);
        }

        int left = right - 1;
        double share = (tpr - Tpr(left)) / (Tpr(right) - Tpr(left));
        return Fpr(left) + (share * (Fpr(right) - Fpr(left)));
    }

    /// <summary>FPR at the threshold of which the recall is closest to a level (reference: MCM).</summary>
    public double NearestRecallFpr(double level)
    {
        // The reference scans from the first point of recall 1 downwards and keeps the first of equally close ones.
        int best = FirstAtLeast(1);
        for (int k = best - 1; k >= 1; k--)
        {
            if (Math.Abs(Tpr(k) - level) < Math.Abs(Tpr(best) - level))
            {
                best = k;
            }
        }

        return Fpr(best);
    }

    /// <summary>FPR at the first point of at least a TPR, among the points at which a count bends and the two ends.</summary>
    public double FirstAtLeastFprWithoutCollinear(double tpr)
    {
        int k = Math.Max(1, FirstAtLeast(tpr));
        while (k > 1 && k < last && !Bends(k))
        {
            k++;
        }

        return Fpr(k);
    }

    private bool Bends(int k) =>
        TruePositives(k + 1) - TruePositives(k) != TruePositives(k) - TruePositives(k - 1)
        || FalsePositives(k + 1) - FalsePositives(k) != FalsePositives(k) - FalsePositives(k - 1);
}
