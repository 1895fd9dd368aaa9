using System.Collections.Concurrent;
using System.Globalization;
using System.Net;

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

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A declared result.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Value">The computed value.</param>
/// <param name="Tolerance">Largest accepted difference from the recorded value.</param>
public sealed record Expectation(string Name, double Value, double Tolerance)
{
    /// <summary>The result in one line of HTML.</summary>
    public string ToHtml() => $"<p>{WebUtility.HtmlEncode(ToString())}</p>";

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"Result {Name}: {Value:G6} (checked to ±{Tolerance:G6})");
}
