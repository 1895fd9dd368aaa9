using System.Globalization;
using System.Text.Json.Nodes;
using ClipOod.Autodiff;

namespace ClipOod.Notebook;

/// <summary>
/// Declares the results of a notebook. The host compares them with the recorded ones and fails the run when they differ;
/// without our host they are only shown, and a result that is declared again, as after an edit, replaces the one before.
/// </summary>
public static class Expect
{
    /// <summary>
    /// The key under which a host leaves an <c>Action&lt;string&gt;</c> that takes a result as JSON, in the form of the files of
    /// recorded results. It throws where the name was declared with another value in the same run.
    /// </summary>
    internal const string HostKey = "workbook.result";

    private static readonly Dictionary<string, string> _declared = new(StringComparer.Ordinal);

    /// <summary>Declares one number that is no metric of a detector.</summary>
    /// <param name="name">What it is, once per notebook, such as "classes on the fallback".</param>
    /// <param name="value">The computed value, finite.</param>
    /// <param name="tolerance">Largest accepted |value − recorded value|, at least 0, in the unit of the value.</param>
    /// <returns>The declaration, to be displayed.</returns>
    /// <exception cref="ArgumentException">The value is NaN or infinite, or the tolerance is negative, NaN or infinite.</exception>
    public static Expectation Number(string name, double value, double tolerance)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        RequireNumber(name, value, tolerance);
        return Declare(name, Invariant($"{value:G6}"), tolerance, new JsonObject { ["name"] = name, ["value"] = value });
    }

    /// <summary>
    /// Declares a metric of a detector. A detector has one value per ID set, OOD set, metric and seed in the whole workbook, whichever
    /// notebook declares it.
    /// </summary>
    /// <param name="detector">Key of the detector, with what differs from its card, such as "mcm" or "mcm[temperature=0.01]".</param>
    /// <param name="id">Name of the ID set.</param>
    /// <param name="ood">Name of the OOD set; null for a metric of the ID images alone.</param>
    /// <param name="metric">The metric.</param>
    /// <param name="seed">Seed of what is random in the detector or the draw of images; 0 where nothing is.</param>
    /// <param name="value">The computed value, finite.</param>
    /// <param name="tolerance">Largest accepted |value − recorded value|, at least 0.</param>
    /// <returns>The declaration, to be displayed.</returns>
    /// <exception cref="ArgumentException">As of <see cref="Number"/>; or a metric of pairs has no OOD set, or another one has one.</exception>
    public static Expectation Metric(string detector, string id, string? ood, Metric metric, int seed, double value, double tolerance)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(detector);
        ArgumentException.ThrowIfNullOrWhiteSpace(id);
        ArgumentNullException.ThrowIfNull(metric);
        if (metric.IsOfPair == string.IsNullOrWhiteSpace(ood))
        {
            throw new ArgumentException(
                metric.IsOfPair ? $"{metric} compares ID with OOD images: name the OOD set." : $"{metric} is of the ID images alone, got the OOD set '{ood}', expected null.", nameof(ood));
        }

        string name = Invariant($"{detector} · {id}{(ood is null ? "" : $" → {ood}")} · {metric.Key} · seed {seed}");
        RequireNumber(name, value, tolerance);
        return Declare(
            name,
            Invariant($"{value:G6}"),
            tolerance,
            new JsonObject { ["detector"] = detector, ["id"] = id, ["ood"] = ood, ["metric"] = metric.Key, ["seed"] = seed, ["value"] = value });
    }

    /// <summary>
    /// Declares a metric of every detector of a benchmark on every pair. Of several repeats it is the mean, and the ID set is named after
    /// them: "C halves, 5 × 5" for five splits of five seeds.
    /// </summary>
    /// <param name="benchmark">The benchmark.</param>
    /// <param name="metric">A metric of pairs.</param>
    /// <param name="tolerance">Largest accepted |value − recorded value|, at least 0.</param>
    /// <param name="trained">The same for detectors that are trained, which vary between machines. Defaults to 0.02.</param>
    public static void Metrics(Benchmark benchmark, Metric metric, double tolerance, double trained = 0.02)
    {
        ArgumentNullException.ThrowIfNull(benchmark);
        ArgumentNullException.ThrowIfNull(metric);
        foreach (var group in benchmark.Cells.GroupBy(cell => (cell.Detector.Card, Id: cell.Bench.Role, Ood: cell.Ood.Role)))
        {
            (int splits, int seeds) = (group.Select(cell => cell.Bench.Split).Distinct().Count(), group.Select(cell => cell.Seed).Distinct().Count());
            Metric(
                group.Key.Card.Key,
                splits * seeds == 1 ? group.Key.Id : Invariant($"{group.Key.Id}, {splits} × {seeds}"),
                group.Key.Ood,
                metric,
                group.First().Seed,
                benchmark.ValueOf(group.Key.Card.Key, group.Key.Id, group.Key.Ood, metric),
                group.Key.Card.Family == DetectorFamily.Trained ? Math.Max(trained, tolerance) : tolerance);
        }
    }

    /// <summary>Declares a verdict. A word that differs from the recorded one fails the run, whatever the numbers.</summary>
    /// <param name="key">What it is, once per notebook, such as "neglabel beats mcm".</param>
    /// <param name="verdict">The verdict.</param>
    /// <returns>The declaration, to be displayed: the verdict's card.</returns>
    /// <exception cref="ArgumentException">It stands beside a published value and names no source.</exception>
    public static Expectation Verdict(string key, Verdict verdict)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(key);
        ArgumentNullException.ThrowIfNull(verdict);
        if (verdict.Published is not null && verdict.Source is null)
        {
            throw new ArgumentException(
                $"The verdict '{key}' has a published value and no source. Say where the claim is printed, so that only a world that can judge it does: world.Published(\"document A, slide 12\", verdict).", nameof(verdict));
        }

        string shown = verdict.Evidence is null ? verdict.WordText : $"{verdict.WordText}, {verdict.Evidence}";
        return Declare(
            key,
            shown,
            verdict.Tolerance,
            new JsonObject
            {
                ["verdict"] = key,
                ["word"] = verdict.WordText,
                ["estimate"] = verdict.Evidence?.Estimate,
                ["low"] = verdict.Evidence?.Low,
                ["high"] = verdict.Evidence?.High,
                ["n"] = verdict.Count,
                ["margin"] = verdict.Evidence is null ? null : verdict.Margin,
                ["source"] = verdict.Source,
            }) with
        { Card = verdict.ToHtml() };
    }

    /// <summary>Asserts that a computation from scratch gives what the library gives.</summary>
    /// <param name="what">What is compared, such as "entropy".</param>
    /// <param name="scratch">The values computed in the notebook.</param>
    /// <param name="library">The library's values, as many.</param>
    /// <param name="tolerance">Largest accepted |difference|, relative to the library's value where that is above 1.</param>
    /// <returns>A sentence with the largest difference, to be displayed.</returns>
    /// <exception cref="ArgumentException">The counts differ, or two values differ by more than the tolerance; the first is named.</exception>
    public static Finding Close(string what, IEnumerable<double> scratch, IEnumerable<double> library, double tolerance = 1e-9)
    {
        double[] ours = [.. scratch], theirs = [.. library];
        if (ours.Length != theirs.Length || ours.Length == 0)
        {
            throw new ArgumentException(
                $"{what}: got {ours.Length} values from scratch and {theirs.Length} from the library, expected as many, and at least one.", nameof(scratch));
        }

        double largest = 0;
        for (int i = 0; i < ours.Length; i++)
        {
            double difference = ours[i].Equals(theirs[i]) ? 0 : Math.Abs(ours[i] - theirs[i]);
            if (!(difference <= tolerance * Math.Max(1, Math.Abs(theirs[i]))))
            {
                throw new ArgumentException(
                    Invariant($"{what}: value {i} of {ours.Length} is {ours[i]:R} from scratch and {theirs[i]:R} from the library, expected a difference of at most {tolerance:R}."),
                    nameof(scratch));
            }

            largest = Math.Max(largest, difference);
        }

        string agreement = largest == 0 ? "no difference" : Invariant($"largest difference {largest:0.#e+0}");
        return new Finding($"{what}: from scratch = library in {ours.Length:N0} {(ours.Length == 1 ? "value" : "values")}, {agreement}.");
    }

    /// <inheritdoc cref="Close(string, IEnumerable{double}, IEnumerable{double}, double)"/>
    public static Finding Close(string what, double scratch, double library, double tolerance = 1e-9) =>
        Close(what, [scratch], [library], tolerance);

    private static void RequireNumber(string name, double value, double tolerance)
    {
        if (!double.IsFinite(value))
        {
            throw new ArgumentException(Invariant($"Result '{name}' is {value}, expected a finite number."), nameof(value));
        }

        if (!(tolerance >= 0) || double.IsInfinity(tolerance))
        {
            throw new ArgumentException(
                Invariant($"Result '{name}' got the tolerance {tolerance}, expected a finite number of at least 0."), nameof(tolerance));
        }
    }

    private static Expectation Declare(string name, string shown, double tolerance, JsonObject result)
    {
        result["tolerance"] = tolerance;
        var host = AppDomain.CurrentDomain.GetData(HostKey) as Action<string>;
        host?.Invoke(result.ToJsonString());
        lock (_declared)
        {
            string? before = _declared.GetValueOrDefault(name);
            _declared[name] = shown;
            return new Expectation(name, shown, tolerance) { IsChecked = host is not null, Before = before == shown ? null : before };
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A declared result.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Value">The computed value, or the verdict, as shown.</param>
/// <param name="Tolerance">Largest accepted difference from the recorded value.</param>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed record Expectation(string Name, string Value, double Tolerance)
{
    /// <summary>Whether a host compares it with a recorded value.</summary>
    internal bool IsChecked { get; init; }

    /// <summary>The value under which the name was declared before, where that was another one; null otherwise.</summary>
    internal string? Before { get; init; }

    /// <summary>HTML that stands above the line, such as a verdict's card.</summary>
    internal string Card { get; init; } = "";

    /// <summary>The result in one line of HTML.</summary>
    public string ToHtml() => $"{Card}<p class=\"declared\" style=\"font-size:.85em;opacity:.7;margin:.1rem 0\">{Html.Escape(ToString())}</p>";

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"Result {Name}: {Value}{(Before is null ? "" : $", {Before} before")}{(IsChecked ? $" (checked to ±{Tolerance:G6})" : "")}");
}
