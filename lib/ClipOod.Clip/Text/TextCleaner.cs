using System.Globalization;
using System.Net;
using System.Text;

namespace ClipOod.Clip;

/// <summary>
/// The clean-up of text before it is tokenized, as in CLIP's <c>simple_tokenizer.py</c>: repair of Unicode, HTML entities undone
/// twice, white space collapsed to single spaces and trimmed, lower case by Python's rules.
/// </summary>
internal static class TextCleaner
{
    private const char Sigma = 'Σ';
    private const char DottedCapitalI = 'İ';

    /// <remarks>HTML entities without a semicolon, and those that only HTML 5 names, stay as they are.</remarks>
    public static string Clean(string text)
    {
        string unescaped = WebUtility.HtmlDecode(WebUtility.HtmlDecode(UnicodeRepair.Repair(text)));
        return Lower(CollapseSpace(unescaped));
    }

    private static string CollapseSpace(string text) =>
        string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Lower case as in Python: İ becomes i with a dot above, and Σ becomes ς at the end of a word; .NET maps one to one.</summary>
    private static string Lower(string text)
    {
        if (!text.AsSpan().ContainsAny(Sigma, DottedCapitalI))
        {
            return text.ToLowerInvariant();
        }

        var lower = new StringBuilder(text.Length + 1);
        for (int i = 0; i < text.Length; i++)
        {
            lower.Append(text[i] switch
            {
                DottedCapitalI => "i\u0307",
                Sigma => IsCasedNext(text, i, -1) && !IsCasedNext(text, i, 1) ? "ς" : "σ",
                // Whole surrogate pairs are lowered at the end.
                char c => c.ToString(),
            });
        }

        return lower.ToString().ToLowerInvariant();
    }

    /// <summary>Whether the nearest character that is not ignored for casing (a mark, an apostrophe, a full stop…) has a case.</summary>
    private static bool IsCasedNext(string text, int from, int step)
    {
        for (int at = from + step; at >= 0 && at < text.Length; at += step)
        {
            // Half a surrogate pair is passed over; the pair is seen from its first half.
            if (!Rune.TryGetRuneAt(text, at, out Rune rune))
            {
                continue;
            }

            bool ignored = rune.Value is '\'' or '.' or ':' or '·' or '’'
                || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark
                    or UnicodeCategory.Format or UnicodeCategory.ModifierLetter or UnicodeCategory.ModifierSymbol;
            if (!ignored)
            {
                return Rune.IsLower(rune) || Rune.IsUpper(rune)
                    || Rune.GetUnicodeCategory(rune) == UnicodeCategory.TitlecaseLetter
                    || Rune.ToLowerInvariant(rune) != rune || Rune.ToUpperInvariant(rune) != rune;
            }
        }

        return false;
    }
}
