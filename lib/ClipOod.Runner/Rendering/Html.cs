using System.Globalization;
using System.Text.RegularExpressions;

namespace ClipOod.Runner.Rendering;

/// <summary>Text on its way into HTML.</summary>
internal static partial class Html
{
    /// <summary>A text that HTML shows as it is, in content and between double quotes.</summary>
    public static string Text(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal)
        .Replace("\"", "&quot;", StringComparison.Ordinal)
        .Replace("\0", "\uFFFD", StringComparison.Ordinal);

    /// <summary>
    /// What a terminal would show of a stream in the end: no colour codes, and of a line that was rewritten after a
    /// carriage return only its last form.
    /// </summary>
    public static string Stream(string text)
    {
        string plain = EscapeSequence().Replace(text.Replace("\r\n", "\n", StringComparison.Ordinal), "");
        IEnumerable<string> lines = plain.Split('\n').Select(line => line.TrimEnd('\r')).Select(line => line[(line.LastIndexOf('\r') + 1)..]);
        return Text(string.Join('\n', lines));
    }

    /// <summary>A wall time with as many digits as a reader needs.</summary>
    public static string Time(TimeSpan time) => time switch
    {
        { TotalMilliseconds: < 1 } => "< 1 ms",
        { TotalMilliseconds: < 999.5 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0} ms"),
        { TotalSeconds: < 59.95 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(Math.Round(time.TotalSeconds) / 60):0} min {Math.Round(time.TotalSeconds) % 60:00} s"),
    };

    /// <summary>One thing or several: <c>1 result</c>, <c>2 results</c>.</summary>
    public static string Count(int count, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {noun}{(count == 1 ? "" : "s")}");

    [GeneratedRegex(@"\x1B(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1B]*(\x07|\x1B\\)|.)")]
    private static partial Regex EscapeSequence();
}
