using System.Globalization;
using System.Text;
using Microsoft.ML.Tokenizers;

namespace ClipOod.Clip;

/// <summary>
/// Splits cleaned text as CLIP's pattern does: a special token, one of the endings 's 't 're 've 'm 'll 'd, a run of letters, one
/// digit, or a run of anything else that is not white space; tried in this order at each place.
/// </summary>
/// <remarks>
/// A scan by code points rather than a regular expression: .NET's works on UTF-16 units and takes letters beyond U+FFFF for symbols.
/// </remarks>
internal sealed class ClipPreTokenizer(IReadOnlyList<string> specialTokens) : PreTokenizer
{
    private static readonly string[] _endings = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

    private enum Kind
    {
        Space,
        Letter,
        Number,
        Other,
    }

    public override IEnumerable<(int Offset, int Length)> PreTokenize(string text) => Split(text);

    public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text) => Split(text);

    private List<(int Offset, int Length)> Split(ReadOnlySpan<char> text)
    {
        var pieces = new List<(int, int)>();
        int at = 0;
        while (at < text.Length)
        {
            (Kind kind, int units) = KindAt(text, at);
            int length = units;
            if (StartsWithAny(text[at..], specialTokens, out int whole) || StartsWithAny(text[at..], _endings, out whole))
            {
                length = whole;
            }
            else if (kind is Kind.Letter or Kind.Other)
            {
                while (at + length < text.Length && KindAt(text, at + length) is var next && next.Kind == kind)
                {
                    length += next.Units;
                }
            }

            if (kind != Kind.Space)
            {
                pieces.Add((at, length));
            }

            at += length;
        }

        return pieces;
    }

    private static bool StartsWithAny(ReadOnlySpan<char> text, IReadOnlyList<string> words, out int length)
    {
        length = 0;
        // All of them begin with a symbol, and few pieces do.
        if (text[0] is '\'' or '<')
        {
            foreach (string word in words)
            {
                if (text.StartsWith(word, StringComparison.Ordinal))
                {
                    length = word.Length;
                }
            }
        }

        return length > 0;
    }

    private static (Kind Kind, int Units) KindAt(ReadOnlySpan<char> text, int at)
    {
        Rune.DecodeFromUtf16(text[at..], out Rune rune, out int units);
        Kind kind = Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
                or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => Kind.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Kind.Number,
            _ => Rune.IsWhiteSpace(rune) ? Kind.Space : Kind.Other,
        };
        return (kind, units);
    }
}
