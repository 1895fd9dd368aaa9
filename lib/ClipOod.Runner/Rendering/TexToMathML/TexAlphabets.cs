using System.Globalization;

namespace ClipOod.Runner.Rendering;

/// <summary>A style of letters, such as that of <c>\mathbb</c>.</summary>
internal enum TexAlphabet { Italic, Upright, Bold, BoldItalic, DoubleStruck, Calligraphic, Fraktur, SansSerif, Monospace }

/// <summary>
/// Maps letters and digits to Unicode's mathematical alphabets: MathML Core takes the style of a letter from its
/// code point, not from an attribute.
/// </summary>
internal static class TexAlphabets
{
    /// <summary>The command of each style.</summary>
    public static IReadOnlyDictionary<string, TexAlphabet> Commands { get; } = new Dictionary<string, TexAlphabet>
    {
        ["mathrm"] = TexAlphabet.Upright,
        ["mathup"] = TexAlphabet.Upright,
        ["mathit"] = TexAlphabet.Italic,
        ["mathnormal"] = TexAlphabet.Italic,
        ["mathbf"] = TexAlphabet.Bold,
        ["boldsymbol"] = TexAlphabet.BoldItalic,
        ["bm"] = TexAlphabet.BoldItalic,
        ["mathbb"] = TexAlphabet.DoubleStruck,
        ["mathcal"] = TexAlphabet.Calligraphic,
        ["mathscr"] = TexAlphabet.Calligraphic,
        ["mathfrak"] = TexAlphabet.Fraktur,
        ["mathsf"] = TexAlphabet.SansSerif,
        ["mathtt"] = TexAlphabet.Monospace,
    };

    // Letters that Unicode had before it got the alphabets, and so are missing from them.
    private static readonly Dictionary<(TexAlphabet, char), string> _exceptions = new()
    {
        [(TexAlphabet.DoubleStruck, 'C')] = "ℂ",
        [(TexAlphabet.DoubleStruck, 'H')] = "ℍ",
        [(TexAlphabet.DoubleStruck, 'N')] = "ℕ",
        [(TexAlphabet.DoubleStruck, 'P')] = "ℙ",
        [(TexAlphabet.DoubleStruck, 'Q')] = "ℚ",
        [(TexAlphabet.DoubleStruck, 'R')] = "ℝ",
        [(TexAlphabet.DoubleStruck, 'Z')] = "ℤ",
        [(TexAlphabet.Calligraphic, 'B')] = "ℬ",
        [(TexAlphabet.Calligraphic, 'E')] = "ℰ",
        [(TexAlphabet.Calligraphic, 'F')] = "ℱ",
        [(TexAlphabet.Calligraphic, 'H')] = "ℋ",
        [(TexAlphabet.Calligraphic, 'I')] = "ℐ",
        [(TexAlphabet.Calligraphic, 'L')] = "ℒ",
        [(TexAlphabet.Calligraphic, 'M')] = "ℳ",
        [(TexAlphabet.Calligraphic, 'R')] = "ℛ",
        [(TexAlphabet.Calligraphic, 'e')] = "ℯ",
        [(TexAlphabet.Calligraphic, 'g')] = "ℊ",
        [(TexAlphabet.Calligraphic, 'o')] = "ℴ",
        [(TexAlphabet.Fraktur, 'C')] = "ℭ",
        [(TexAlphabet.Fraktur, 'H')] = "ℌ",
        [(TexAlphabet.Fraktur, 'I')] = "ℑ",
        [(TexAlphabet.Fraktur, 'R')] = "ℜ",
        [(TexAlphabet.Fraktur, 'Z')] = "ℨ",
    };

    /// <summary>A text in a style, sign by sign; signs that the style does not have stay as they are.</summary>
    public static string Map(string text, TexAlphabet alphabet) => string.Concat(text.Select(c => Map(c, alphabet)));

    private static string Map(char c, TexAlphabet alphabet)
    {
        if (alphabet is TexAlphabet.Italic or TexAlphabet.Upright)
        {
            return c.ToString(CultureInfo.InvariantCulture);
        }

        if (_exceptions.TryGetValue((alphabet, c), out string? exception))
        {
            return exception;
        }

        int? code = c switch
        {
            >= 'A' and <= 'Z' => Letters(alphabet) + (c - 'A'),
            >= 'a' and <= 'z' => Letters(alphabet) + 26 + (c - 'a'),
            >= '0' and <= '9' => Digits(alphabet) + (c - '0'),
            >= 'Α' and <= 'Ω' => Greek(alphabet) + (c - 'Α'),
            >= 'α' and <= 'ω' => Greek(alphabet) + 26 + (c - 'α'),
            _ => null,
        };
        return code is int point ? char.ConvertFromUtf32(point) : c.ToString(CultureInfo.InvariantCulture);
    }

    private static int? Letters(TexAlphabet alphabet) => alphabet switch
    {
        TexAlphabet.Bold => 0x1D400,
        TexAlphabet.BoldItalic => 0x1D468,
        TexAlphabet.Calligraphic => 0x1D49C,
        TexAlphabet.Fraktur => 0x1D504,
        TexAlphabet.DoubleStruck => 0x1D538,
        TexAlphabet.SansSerif => 0x1D5A0,
        TexAlphabet.Monospace => 0x1D670,
        _ => null,
    };

    private static int? Digits(TexAlphabet alphabet) => alphabet switch
    {
        TexAlphabet.Bold or TexAlphabet.BoldItalic => 0x1D7CE,
        TexAlphabet.DoubleStruck => 0x1D7D8,
        TexAlphabet.SansSerif => 0x1D7E2,
        TexAlphabet.Monospace => 0x1D7F6,
        _ => null,
    };

    private static int? Greek(TexAlphabet alphabet) => alphabet switch
    {
        TexAlphabet.Bold => 0x1D6A8,
        TexAlphabet.BoldItalic => 0x1D71C,
        _ => null,
    };
}
