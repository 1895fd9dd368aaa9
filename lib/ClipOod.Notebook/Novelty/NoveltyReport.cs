using System.Globalization;
using ClipOod.Autodiff;

namespace ClipOod.Notebook;

/// <summary>One of the scores that a detector could use, and what the known images alone say of it.</summary>
/// <param name="Key">As in <see cref="DetectorCatalog"/>.</param>
/// <param name="Name">What tables call it.</param>
/// <param name="SelfTest">Mean AUROC where each class in turn was left out and found again; NaN with one class.</param>
/// <param name="Mean">Its mean over known images that it was not fitted on.</param>
/// <param name="Deviation">Its standard deviation over them.</param>
/// <param name="Used">Whether it is part of the ensemble.</param>
public sealed record NoveltyScore(string Key, string Name, double SelfTest, double Mean, double Deviation, bool Used);

/// <summary>What would have happened, had a class been forgotten.</summary>
/// <param name="Name">The class.</param>
/// <param name="Images">Number of its images that were tried.</param>
/// <param name="Auroc">AUROC of the other classes' held-out images against it.</param>
/// <param name="Caught">Share of its images called new at the false-alarm rate <see cref="NoveltyDetector.FalseAlarm"/>.</param>
public sealed record ForgottenClass(string Name, int Images, double Auroc, double Caught);

/// <summary>What a detector says of one image.</summary>
/// <param name="Index">Its row.</param>
/// <param name="Score">The ensemble: mean of the scores, each in standard deviations of known images from their mean; higher = more known.</param>
/// <param name="PValue">Share of known images as strange as this one; see <see cref="Conformal.PValues"/>.</param>
/// <param name="Class">The class that it is nearest to.</param>
/// <param name="ClassPValue">The same share among the known images nearest to this class.</param>
/// <param name="Listed">Whether it is on the list at the false-discovery rate.</param>
/// <param name="Nearest">Name of the known image nearest to it; null where the detector keeps no features.</param>
/// <param name="NearestRow">Its row among the known images; −1 where the detector keeps no features.</param>
/// <param name="Cosine">The cosine to it; NaN where the detector keeps no features.</param>
/// <param name="Cluster">Number of its cluster among the strangers, from 0; −1 for none.</param>
public sealed record NoveltyVerdict(
    int Index, double Score, double PValue, string Class, double ClassPValue, bool Listed, string? Nearest, int NearestRow, double Cosine, int Cluster);

/// <summary>Strangers that lie together.</summary>
/// <param name="Images">Their rows.</param>
/// <param name="Words">Words whose text lies nearest, nearest first; none where the model reads no text.</param>
public sealed record StrangerCluster(IReadOnlyList<int> Images, IReadOnlyList<string> Words);

/// <summary>What a <see cref="NoveltyDetector"/> says of images.</summary>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed class NoveltyReport
{
    internal NoveltyReport(IReadOnlyList<NoveltyVerdict> verdicts, double rate, int known, ShiftTest shift, IReadOnlyList<StrangerCluster> clusters) =>
        (Verdicts, FalseDiscoveryRate, KnownImages, Shift, Clusters) = (verdicts, rate, known, shift, clusters);

    /// <summary>One verdict per image, in the order of the images.</summary>
    public IReadOnlyList<NoveltyVerdict> Verdicts { get; }

    /// <summary>The verdicts, strangest first.</summary>
    public IReadOnlyList<NoveltyVerdict> StrangestFirst => [.. Verdicts.OrderBy(verdict => verdict.Score).ThenBy(verdict => verdict.Index)];

    /// <summary>The scores of the images; higher = more known.</summary>
    public IdScores Scores => new("ensemble", [.. Verdicts.Select(verdict => verdict.Score)]);

    /// <summary>The rate that the list keeps to: the share of known images on it, in expectation.</summary>
    public double FalseDiscoveryRate { get; }

    /// <summary>Number of known images behind the p-values.</summary>
    public int KnownImages { get; }

    /// <summary>Whether the images as a whole differ from the known ones.</summary>
    public ShiftTest Shift { get; }

    /// <summary>Clusters among the strangers, largest first.</summary>
    public IReadOnlyList<StrangerCluster> Clusters { get; }

    /// <summary>Number of images on the list.</summary>
    public int Listed => Verdicts.Count(verdict => verdict.Listed);

    /// <summary>What the number of known images allows, in words.</summary>
    public string Price
    {
        get
        {
            int fewest = Conformal.FewestListed(KnownImages, Verdicts.Count, FalseDiscoveryRate);
            string price = fewest > Verdicts.Count ? "no list can hold any: give more known images or a larger rate"
                : fewest == 1 ? "one image alone can be listed"
                : $"at least {fewest} of the {Verdicts.Count} must be stranger than nearly all known images before any is listed; {Math.Ceiling((Verdicts.Count / FalseDiscoveryRate) - 1):F0} known images would do for one alone";
            return string.Create(CultureInfo.InvariantCulture, $"{KnownImages} known images: the smallest p-value is {1.0 / (KnownImages + 1):G2}, and {price}.");
        }
    }

    /// <summary>The images as a whole, in words.</summary>
    public string Whole => string.Create(
        CultureInfo.InvariantCulture,
        $"As a whole the images {(Shift.PValue < 0.05 ? "differ from" : "do not differ noticeably from")} the known ones (Kolmogorov-Smirnov distance {Shift.Distance:F2}, p = {Shift.PValue:G2}); about {100 * Shift.NewShare:F0} % of them are new (Storey's estimate).");

    /// <summary>A row per image, strangest first.</summary>
    /// <param name="names">Names of the images by row.</param>
    /// <param name="most">Rows to show.</param>
    public ResultTable ToTable(IReadOnlyList<string>? names = null, int most = int.MaxValue)
    {
        NoveltyVerdict[] rows = [.. StrangestFirst.Take(most)];
        ResultTable table = new ResultTable("Images, strangest first")
            .Text("Image", rows.Select(row => names?[row.Index] ?? Numbers.Count(row.Index)))
            .Text("Verdict", rows.Select(VerdictOf))
            .Number("p-value", rows.Select(row => row.PValue))
            .Number("p-value in its class", rows.Select(row => row.ClassPValue))
            .Number("Score", rows.Select(row => row.Score))
            .Text("Nearest class", rows.Select(row => row.Class));
        table = rows.Any(row => row.Nearest is not null)
            ? table.Text("Nearest known image", rows.Select(row => row.Nearest ?? "")).Number("Cosine", rows.Select(row => row.Cosine))
            : table;
        return Clusters.Count > 0 ? table.Text("Cluster", rows.Select(row => row.Cluster < 0 ? "" : Numbers.Count(row.Cluster + 1))) : table;
    }

    /// <summary>"new" where an image is on the list, "new in its class" where only its class finds it strange, else "known".</summary>
    /// <param name="verdict">One of <see cref="Verdicts"/>.</param>
    public static string VerdictOf(NoveltyVerdict verdict)
    {
        ArgumentNullException.ThrowIfNull(verdict);
        return verdict.Listed ? "new" : verdict.ClassPValue <= NoveltyDetector.FalseAlarm ? "new in its class" : "known";
    }

    /// <summary>The table as HTML.</summary>
    public string ToHtml() => ToTable().ToHtml();

    /// <summary>The table as aligned text.</summary>
    public override string ToString() => ToTable().ToString();
}
