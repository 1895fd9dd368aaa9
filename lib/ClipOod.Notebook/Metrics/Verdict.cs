using System.Globalization;
using ClipOod.Autodiff;

namespace ClipOod.Notebook;

/// <summary>What the evidence says of a claim.</summary>
internal enum VerdictWord
{
    /// <summary>The whole interval lies on the claim's side of the margin.</summary>
    Holds,

    /// <summary>The whole interval lies on the other side of the margin.</summary>
    DoesNotHold,

    /// <summary>The interval holds the margin, or an end of it is nearer to the margin than three spreads.</summary>
    Undecided,

    /// <summary>The data cannot speak to the claim, for a reason that is given.</summary>
    CannotBeTold,
}

/// <summary>
/// A claim with what the data of this world say of it: holds, does not hold, undecided, or cannot be told here. Declared with
/// <see cref="Expect.Verdict"/> it is recorded and compared like a number; a word that changes fails the run.
/// </summary>
/// <remarks>
/// A verdict on a claim in print has a <see cref="Source"/>: pass it through <see cref="World.Published"/>, which leaves the word to worlds
/// that can judge such claims. A verdict without a source is on mechanism: on what happens in the world that it is drawn in.
/// Three spreads (of the estimate over thread counts and instruction sets) must lie between the interval and the margin, or the word
/// would depend on the machine. The tolerance is a third of the distance at which the word would change, and at least one spread.
/// </remarks>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed record Verdict
{
    private Verdict(string claim, VerdictWord word)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(claim);
        Claim = claim;
        Word = word;
    }

    /// <summary>What is claimed, a sentence.</summary>
    public string Claim { get; }

    /// <summary>What the evidence says of it.</summary>
    internal VerdictWord Word { get; private init; }

    /// <summary>The word as it is read and recorded, such as "does not hold".</summary>
    public string WordText => Word switch
    {
        VerdictWord.Holds => "holds",
        VerdictWord.DoesNotHold => "does not hold",
        VerdictWord.Undecided => "undecided",
        _ => "cannot be told here",
    };

    /// <summary>The estimate with its 95 % interval; null where nothing can be told.</summary>
    public Interval? Evidence { get; private init; }

    /// <summary>Number of images, seeds or splits behind the interval; null where nothing can be told.</summary>
    public int? Count { get; private init; }

    /// <summary>Smallest difference that matters, in the unit of the estimate.</summary>
    public double Margin { get; private init; }

    /// <summary>The published value of the same difference; null where there is none.</summary>
    public double? Published { get; private init; }

    /// <summary>Why nothing can be told, or why what the interval tells is doubted; null otherwise.</summary>
    public string? Because { get; private init; }

    /// <summary>Where the claim is printed, such as "document A, slide 12"; null where it is on mechanism.</summary>
    public string? Source { get; private init; }

    /// <summary>Largest difference of the estimate from the recorded one that is accepted.</summary>
    public double Tolerance { get; private init; }

    /// <summary>Judges the claim that a difference is larger than a margin.</summary>
    /// <param name="claim">Such as "NegLabel beats MCM on A against textures".</param>
    /// <param name="difference">Interval of the difference, positive where the claim is right.</param>
    /// <param name="count">Images, seeds or splits behind the interval, at least 1.</param>
    /// <param name="margin">Smallest difference that matters. Defaults to 0.</param>
    /// <param name="spread">How much the estimate differs over thread counts and instruction sets, at least 0. Defaults to 0.</param>
    /// <param name="published">The published difference; null where there is none.</param>
    /// <exception cref="ArgumentException">A bound, the margin, the spread or the published value is NaN or infinite, or the bounds are not in order.</exception>
    public static Verdict Judge(
        string claim, Interval difference, int count, double margin = 0, double spread = 0, double? published = null)
    {
        Require(difference, count, margin, spread, published);
        return Of(claim, [(margin, difference.Low), (margin, difference.High)], difference.Low > margin, difference.High < margin, spread) with
        {
            Evidence = difference,
            Count = count,
            Margin = margin,
            Published = published,
        };
    }

    /// <summary>Judges the claim that a difference does not matter: that it lies within ± a margin.</summary>
    /// <param name="claim">Such as "one template does as well as seven on A".</param>
    /// <param name="difference">Interval of the difference, of either sign.</param>
    /// <param name="count">Images, seeds or splits behind the interval, at least 1.</param>
    /// <param name="margin">Smallest difference that matters, above 0.</param>
    /// <param name="spread">How much the estimate differs over thread counts and instruction sets, at least 0. Defaults to 0.</param>
    /// <param name="published">The published difference; null where there is none.</param>
    /// <exception cref="ArgumentException">As of <see cref="Judge"/>, or the margin is not above 0.</exception>
    public static Verdict JudgeEquivalence(
        string claim, Interval difference, int count, double margin, double spread = 0, double? published = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(margin);
        Require(difference, count, margin, spread, published);
        bool inside = difference.Low > -margin && difference.High < margin;
        bool outside = difference.Low > margin || difference.High < -margin;
        return Of(
            claim,
            [(-margin, difference.Low), (-margin, difference.High), (margin, difference.Low), (margin, difference.High)],
            inside,
            outside,
            spread) with
        {
            Evidence = difference,
            Count = count,
            Margin = margin,
            Published = published,
        };
    }

    /// <summary>Says why the data of this world cannot speak to a claim.</summary>
    /// <param name="claim">The claim.</param>
    /// <param name="because">The reason, to be read after "because", such as "no image reached the memory".</param>
    public static Verdict CannotBeTold(string claim, string because)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(because);
        return new Verdict(claim, VerdictWord.CannotBeTold) { Because = because };
    }

    /// <summary>The same evidence under "undecided", for a reason that its interval does not show, such as a seed that says otherwise.</summary>
    /// <param name="because">The reason, to be read after "because"; null leaves the verdict as it is.</param>
    public Verdict Doubted(string? because) => because is null || Word is VerdictWord.CannotBeTold or VerdictWord.Undecided
        ? this
        : this with { Word = VerdictWord.Undecided, Because = because };

    /// <summary>The same verdict as one on a claim in print.</summary>
    /// <param name="source">Where the claim is printed.</param>
    /// <param name="because">Why this world cannot judge it: the evidence stays, as mechanism, and the word goes; null where it can.</param>
    internal Verdict OnClaimOf(string source, string? because)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(source);
        return because is null
            ? this with { Source = source }
            : new Verdict(Claim, VerdictWord.CannotBeTold)
            {
                Source = source,
                Because = Because ?? because,
                Evidence = Evidence,
                Count = Count,
                Margin = Margin,
                Tolerance = Tolerance,
            };
    }

    /// <summary>Verdicts side by side, a line each.</summary>
    /// <param name="title">What they have in common.</param>
    /// <param name="verdicts">At least one, of differences of a rate, such as AUROC.</param>
    public static ResultTable ToTable(string title, IReadOnlyList<Verdict> verdicts)
    {
        ArgumentNullException.ThrowIfNull(verdicts);
        static string Points(double value) => string.Create(CultureInfo.InvariantCulture, $"{100 * value:+0.0;−0.0;0.0}");
        return new ResultTable(title)
            .Text("Claim", verdicts.Select(verdict => verdict.Claim))
            .Text("Here", verdicts.Select(verdict => verdict.WordText))
            .Text("Points, 95 % interval", verdicts.Select(verdict => verdict.Evidence is { } e ? $"{Points(e.Estimate)} [{Points(e.Low)}, {Points(e.High)}]" : "–"))
            .Text("n", verdicts.Select(verdict => verdict.Count is int n ? n.ToString("N0", CultureInfo.InvariantCulture) : "–"))
            .Text("Published", verdicts.Select(verdict => verdict.Published is double published ? Points(published) : "–"))
            .Text("Because", verdicts.Select(verdict => verdict.Because ?? ""));
    }

    /// <summary>The verdict as a card.</summary>
    public string ToHtml()
    {
        (string sign, string colour) = Word switch
        {
            VerdictWord.Holds => ("✓", "#2f855a"),
            VerdictWord.DoesNotHold => ("✕", "#c53030"),
            VerdictWord.Undecided => ("?", "#b7791f"),
            _ => ("–", "#718096"),
        };
        return Html.Output($"""
            <div class="clipood verdict" style="border-left:4px solid {colour};padding-left:.8rem">
            <p class="title">{Html.Escape(Claim)}</p>
            <p style="margin:.2rem 0"><b><span aria-hidden="true">{sign}</span> {Html.Escape(WordText)}</b></p>
            <p class="note">{Html.Escape(Grounds())}</p>
            </div>
            """);
    }

    /// <summary>Such as "NegLabel beats MCM: holds (0.0312 [0.0201, 0.0420], n = 300)".</summary>
    public override string ToString() => $"{Claim}: {WordText} ({Grounds()})";

    private static Verdict Of(string claim, IReadOnlyList<(double Border, double End)> changes, bool holds, bool fails, double spread)
    {
        // The word changes when an end of the interval reaches a border, but for ends that have three spreads to spare before it.
        double distance = changes.Min(change => Math.Abs(change.End - change.Border));
        bool near = (holds || fails) && distance < 3 * spread;
        VerdictWord word = near || !(holds || fails) ? VerdictWord.Undecided : holds ? VerdictWord.Holds : VerdictWord.DoesNotHold;
        return new Verdict(claim, word) { Tolerance = Math.Max(spread, distance / 3) };
    }

    private static void Require(Interval difference, int count, double margin, double spread, double? published)
    {
        ArgumentNullException.ThrowIfNull(difference);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(spread);
        if (!(double.IsFinite(difference.Low) && double.IsFinite(difference.High) && double.IsFinite(difference.Estimate) && difference.Low <= difference.High))
        {
            throw new ArgumentException($"Got the interval {difference}, expected finite bounds in order and a finite estimate.", nameof(difference));
        }

        if (!double.IsFinite(margin) || !double.IsFinite(spread) || !double.IsFinite(published ?? 0))
        {
            throw new ArgumentException(
                FormattableString.Invariant($"Got the margin {margin}, the spread {spread} and the published value {published}, expected finite numbers."), nameof(margin));
        }
    }

    private string Grounds()
    {
        string?[] parts =
        [
            Because is null ? null : $"because {Because}",
            Evidence is null ? null : string.Create(
                CultureInfo.InvariantCulture,
                $"{(Word == VerdictWord.CannotBeTold ? "as mechanism " : "")}{Evidence}, n = {Count:N0}{(Margin == 0 ? "" : $", smallest difference that matters {Margin:G4}")}{(Published is double published ? $", published {published:G4}" : "")}"),
            Source is null ? "mechanism, no claim in print" : $"claim of {Source}",
        ];
        return string.Join("; ", parts.Where(part => part is not null));
    }
}
