using System.Collections.Concurrent;
using System.Globalization;
using ClipOod.Autodiff;

namespace ClipOod.Notebook;

/// <summary>
/// Declares the results of a notebook. The host compares them with the recorded ones and fails the run when they differ;
/// without our host they are only shown.
/// </summary>
public static class Expect
{
    /// <summary>The key under which a host leaves an <c>Action&lt;string, double, double&gt;</c> (name, value, tolerance).</summary>
    internal const string HostKey = "workbook.result";

    private static readonly ConcurrentDictionary<string, double> _declared = new(StringComparer.Ordinal);

    /// <summary>Declares one number.</summary>
    /// <param name="name">What it is, once per notebook, such as "zero-shot accuracy A".</param>
    /// <param name="value">The computed value, finite.</param>
    /// <param name="tolerance">Largest accepted |value − recorded value|, at least 0, in the unit of the value.</param>
    /// <returns>The declaration, to be displayed.</returns>
    /// <exception cref="ArgumentException">
    /// The value is NaN or infinite, the tolerance is negative, NaN or infinite, or the name was already declared with another value.
    /// </exception>
    public static Expectation Number(string name, double value, double tolerance)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (!double.IsFinite(value))
        {
            throw new ArgumentException(Invariant($"Result '{name}' is {value}, expected a finite number."), nameof(value));
        }

        if (!(tolerance >= 0) || double.IsInfinity(tolerance))
        {
            throw new ArgumentException(
                Invariant($"Result '{name}' got the tolerance {tolerance}, expected a finite number of at least 0."), nameof(tolerance));
        }

        double declared = _declared.GetOrAdd(name, value);
        if (declared != value)
        {
            throw new ArgumentException(
                Invariant($"Result '{name}' is {value}, but was declared as {declared} before. Give each result its own name."), nameof(name));
        }

        (AppDomain.CurrentDomain.GetData(HostKey) as Action<string, double, double>)?.Invoke(name, value, tolerance);
        return new Expectation(name, value, tolerance);
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

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A declared result.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Value">The computed value.</param>
/// <param name="Tolerance">Largest accepted difference from the recorded value.</param>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed record Expectation(string Name, double Value, double Tolerance)
{
    /// <summary>The result in one line of HTML.</summary>
    public string ToHtml() => $"<p style=\"font-size:.85em;opacity:.7;margin:.1rem 0\">{Html.Escape(ToString())}</p>";

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"Result {Name}: {Value:G6} (checked to ±{Tolerance:G6})");
}
