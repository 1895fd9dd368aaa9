using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ClipOod.Clip.Tests;

public sealed partial class ClipTokenizerTests
{
    private static readonly Lazy<ClipTokenizer> _published = new(() => ClipTokenizer.Load(References.ClipGolden("bpe_simple_vocab_16e6.txt.gz")));

    /// <summary>A vocabulary of our own: 512 bytes, five merges, start and end.</summary>
    private static readonly string[] _fewMerges = ["a t</w>", "c at</w>", "o g</w>", "d og</w>", "c a"];

    public static TheoryData<string> GoldenTexts => new(References.Tokenizer.GetProperty("expected").EnumerateObject().Select(t => t.Name));

    [Theory, MemberData(nameof(GoldenTexts))]
    public void Encode_GoldenText_GivesClipsIds(string text)
    {
        JsonElement expected = References.Tokenizer.GetProperty("expected").GetProperty(text);
        int[] ids = expected.GetProperty("ids").Integers();
        Assert.Equal(ids, _published.Value.Encode(text));

        int[,] row = _published.Value.EncodeRows([text]);
        int[] whole = [49406, .. ids, 49407, .. new int[75 - ids.Length]];
        Assert.Equal(whole, row.Cast<int>());
        Assert.Equal(49407, row[0, expected.GetProperty("argmax_eot").GetInt32()]);
    }

    [Fact]
    public void EncodeRows_LongGoldenText_KeepsTheFirstTokensAndTheEnd()
    {
        string text = string.Join(' ', Enumerable.Range(0, 60).Select(i => $"word{i}"));
        JsonElement expected = References.Tokenizer.GetProperty("truncation");
        Assert.Equal(expected.GetProperty("raw_length").GetInt32(), _published.Value.Encode(text).Length + 2);
        Assert.Equal(expected.GetProperty("row77").Integers(), _published.Value.EncodeRows([text]).Cast<int>());
    }

    [Fact]
    public void Vocabulary_PublishedMerges_HasTheSpecifiedIds()
    {
        Assert.Equal(References.Tokenizer.GetProperty("vocab_size").GetInt32(), _published.Value.VocabularySize);
        Assert.Equal(References.Tokenizer.GetProperty("sot").GetInt32(), _published.Value.StartId);
        Assert.Equal(References.Tokenizer.GetProperty("eot").GetInt32(), _published.Value.EndId);
        foreach (JsonProperty check in References.Tokenizer.GetProperty("spot_checks").EnumerateObject())
        {
            Assert.Equal(check.Name.Replace("</w>", "", StringComparison.Ordinal), _published.Value.Decode([check.Value.GetInt32()]));
        }
    }

    [Fact]
    public void Encode_TwoThousandTexts_KeepsTheInvariants()
    {
        string[] texts = TextFuzz.Texts(2000, seed: 11);
        ClipTokenizer tokenizer = _published.Value;
        int[][] encoded = [.. texts.Select(tokenizer.Encode)];
        foreach ((string text, int[] ids) in texts.Zip(encoded))
        {
            string clean = ClipTokenizer.Clean(text);
            Assert.All(ids, id => Assert.InRange(id, 0, 49405));
            // Tokens keep every character but the white space between pieces.
            Assert.Equal(WithoutSpace(clean), WithoutSpace(tokenizer.Decode(ids)));
            // Cleaning again changes nothing, unless undoing entities gave new work (&amp;amp;amp; or an entity of a capital letter).
            if (!text.Contains('&', StringComparison.Ordinal))
            {
                Assert.Equal(clean, ClipTokenizer.Clean(clean));
                Assert.Equal(ids, tokenizer.Encode(clean));
            }
        }

        int[,] rows = tokenizer.EncodeRows(texts);
        for (int row = 0; row < texts.Length; row++)
        {
            int[] values = [.. Enumerable.Range(0, 77).Select(i => rows[row, i])];
            int end = Array.IndexOf(values, 49407);
            Assert.Equal(49406, values[0]);
            Assert.Equal(Math.Min(encoded[row].Length + 1, 76), end);
            Assert.Equal(encoded[row][..(end - 1)], values[1..end]);
            Assert.All(values[(end + 1)..], v => Assert.Equal(0, v));
        }
    }

    [Fact]
    public void Encode_ManyThreads_GivesTheSameIds()
    {
        string[] texts = TextFuzz.Texts(2000, seed: 12);
        // A tokenizer of its own, so that the threads also fill its cache.
        ClipTokenizer tokenizer = ClipTokenizer.Load(References.ClipGolden("bpe_simple_vocab_16e6.txt.gz"));
        var parallel = new int[texts.Length][];
        Parallel.For(0, 4 * texts.Length, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i => parallel[i % texts.Length] = tokenizer.Encode(texts[i % texts.Length]));
        Assert.Equal(texts.Select(_published.Value.Encode), parallel);
    }

    [Theory]
    [InlineData("2026", 4)]
    [InlineData("x2 ½ Ⅷ", 4)]
    [InlineData("𝟘𝟙", 2)]
    public void PreTokenizer_Digits_AreSinglePieces(string text, int pieces) =>
        Assert.Equal(pieces, new ClipPreTokenizer(["<|startoftext|>", "<|endoftext|>"]).PreTokenize(text).Count());

    [Theory]
    [InlineData("it's o'clock we'll", "it|'s|o|'|clock|we|'ll")]
    [InlineData("(a dog).", "(|a|dog|).")]
    [InlineData("!!'s", "!!'|s")]
    [InlineData("a<|endoftext|>b", "a|<|endoftext|>|b")]
    [InlineData("?<|endoftext|>", "?<||endoftext||>")]
    [InlineData("𠮷野家 😀!", "𠮷野家|😀!")]
    [InlineData("<b>", "<|b|>")]
    [InlineData(" \t ", "")]
    public void PreTokenizer_Text_SplitsAsClipsPattern(string text, string expected)
    {
        var splitter = new ClipPreTokenizer(["<|startoftext|>", "<|endoftext|>"]);
        Assert.Equal(expected, string.Join('|', splitter.PreTokenize(text).Select(p => text.Substring(p.Offset, p.Length))));
        Assert.Equal(splitter.PreTokenize(text), splitter.PreTokenize(text.AsSpan()));
    }

    [Fact]
    public void PreTokenizer_BasicPlane_EqualsClipsPattern()
    {
        // Where every character is one UTF-16 unit, .NET's regular expressions mean what Python's do.
        var splitter = new ClipPreTokenizer(["<|startoftext|>", "<|endoftext|>"]);
        foreach (string text in TextFuzz.Texts(2000, seed: 13).Select(ClipTokenizer.Clean).Where(t => !t.Any(char.IsSurrogate)))
        {
            Assert.Equal(ClipPattern().Matches(text).Select(m => (m.Index, m.Length)), splitter.PreTokenize(text));
        }
    }

    [GeneratedRegex(@"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+")]
    private static partial Regex ClipPattern();

    [Theory]
    [InlineData("  A  Photo\tof\r\na CAT ", "a photo of a cat")]
    [InlineData("“curly” ‘quotes’", "\"curly\" 'quotes'")]
    [InlineData("ﬁne eﬀort Ĳssel", "fine effort ijssel")]
    [InlineData("Ｆｕｌｌ　ｗｉｄｔｈ！ ｱﾊﾟｰﾄ", "full width! アパート")]
    [InlineData("cafe\u0301 A\u030angstro\u0308m", "café ångström")]
    [InlineData("q\u0307\u0323 a\u0302\u0323 \u212b", "q\u0323\u0307 ậ å")]
    [InlineData("\u1112\u1161\u11ab\u1100\u116e\u11a8", "한국")]
    [InlineData("\ufeffzero\u0000width\u001b\u007f", "zerowidth")]
    [InlineData("&lt;tag&gt; &amp;amp; &eacute;&#39;", "<tag> & é'")]
    [InlineData("ΟΔΥΣΣΕΥΣ Σ ΣΑΣ. ΑΣ'Α", "οδυσσευς σ σας. ασ'α")]
    [InlineData("İstanbul", "i\u0307stanbul")]
    public void Clean_Text_IsRepaired(string text, string expected) => Assert.Equal(expected, ClipTokenizer.Clean(text));

    [Fact]
    public void Clean_HalfASurrogatePair_IsReplaced() => Assert.Equal("half \ufffd pair", ClipTokenizer.Clean("half \ud83d pair"));

    [Fact]
    public void Clean_AllForms_AreOne()
    {
        foreach (string composed in (string[])["é", "ậ", "ǖ", "ṩ", "ΰ", "й", "が", "각", "한", "ỗ"])
        {
            string[] forms = [composed, Decomposed(composed)];
            Assert.Single(forms.Select(ClipTokenizer.Clean).Distinct());
        }

        // The tests run without ICU too, so the parts are written here.
        static string Decomposed(string c) => c switch
        {
            "é" => "e\u0301",
            "ậ" => "a\u0323\u0302",
            "ǖ" => "u\u0308\u0304",
            "ṩ" => "s\u0307\u0323",
            "ΰ" => "υ\u0308\u0301",
            "й" => "и\u0306",
            "が" => "か\u3099",
            "각" => "\u1100\u1161\u11a8",
            "한" => "\u1112\u1161\u11ab",
            "ỗ" => "o\u0302\u0303",
            _ => throw new ArgumentOutOfRangeException(nameof(c)),
        };
    }

    [Fact]
    public void FromMerges_SmallVocabulary_EncodesAnyText()
    {
        ClipTokenizer tokenizer = ClipTokenizer.FromMerges(_fewMerges);
        Assert.Equal(512 + 5 + 2, tokenizer.VocabularySize);
        Assert.Equal((517, 518), (tokenizer.StartId, tokenizer.EndId));
        // a = 64 and a</w> = 320, as in the published vocabulary; merges follow the 512 bytes.
        Assert.Equal([513, 320, 515, 516, 64 + 'r' - 'a', 320 + 's' - 'a'], tokenizer.Encode("Cat a dog cars"));
        foreach (string text in TextFuzz.Texts(300, seed: 14))
        {
            Assert.Equal(WithoutSpace(ClipTokenizer.Clean(text)), WithoutSpace(tokenizer.Decode(tokenizer.Encode(text))));
        }
    }

    [Fact]
    public void FromMerges_None_GivesOneTokenPerByte()
    {
        ClipTokenizer tokenizer = ClipTokenizer.FromMerges([]);
        Assert.Equal(514, tokenizer.VocabularySize);
        Assert.Equal(Encoding.UTF8.GetByteCount("naïve日本"), tokenizer.Encode("naïve日本").Length);
    }

    [Fact]
    public void Load_EveryPublishedForm_GivesTheSameTokenizer()
    {
        using var folder = new TemporaryFolder();
        string text = "#version: 0.2\n" + string.Join('\n', _fewMerges) + "\n";
        ClipTokenizer direct = ClipTokenizer.FromMerges(_fewMerges);
        ClipTokenizer[] loaded =
        [
            ClipTokenizer.Load(folder.Write("plain.txt", text)),
            ClipTokenizer.Load(folder.Write("packed.txt.gz", Gzip(text))),
            ClipTokenizer.Load(WriteHuggingFace(folder)),
            ClipTokenizer.FromVocabulary(Path.Combine(folder.Path, "vocab.json"), folder.Write("no-heading.txt", string.Join("\r\n", _fewMerges))),
            ClipTokenizer.Load(folder.Write("tokenizer.json", TokenizerJson(asPairs: true))),
            ClipTokenizer.Load(folder.Write("older.json", TokenizerJson(asPairs: false))),
            ClipTokenizer.Load(folder.Path),
        ];
        string[] texts = TextFuzz.Texts(50, seed: 15);
        foreach (ClipTokenizer tokenizer in loaded)
        {
            Assert.Equal(direct.VocabularySize, tokenizer.VocabularySize);
            Assert.Equal(texts.Select(direct.Encode), texts.Select(tokenizer.Encode));
        }
    }

    [Fact]
    public void FromMergesFile_SmallerSize_TakesTheFirstMerges()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("bpe_simple_vocab_few.txt", "heading\n" + string.Join('\n', _fewMerges));
        Assert.Equal(516, ClipTokenizer.FromMergesFile(path, vocabularySize: 516).VocabularySize);
        Assert.Equal(519, ClipTokenizer.Load(folder.Path).VocabularySize);
        Assert.Throws<ArgumentOutOfRangeException>(() => ClipTokenizer.FromMergesFile(path, vocabularySize: 513));
    }

    [Fact]
    public void EncodeRows_ContextLength_PadsTruncatesOrThrows()
    {
        ClipTokenizer tokenizer = ClipTokenizer.FromMerges(_fewMerges);
        int[,] rows = tokenizer.EncodeRows(["cat", "dog dog dog dog", ""], contextLength: 4);
        Assert.Equal([517, 513, 518, 0, 517, 515, 515, 518, 517, 518, 0, 0], rows.Cast<int>());

        var error = Assert.Throws<ArgumentException>(() => tokenizer.EncodeRows(["cat", "dog dog dog"], 4, OverflowMode.Throw));
        Assert.Contains("Text 1 has 3 tokens, but 2 fit in a context of 4: \"dog dog dog\"", error.Message, StringComparison.Ordinal);
        Assert.Equal(518, tokenizer.EncodeRows(["cat cat"], 4, OverflowMode.Throw)[0, 3]);
        Assert.Equal([517, 518], tokenizer.EncodeRows(["cat"], 2).Cast<int>());
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.EncodeRows(["cat"], 1));
        Assert.Contains("Text 1 is null", Assert.Throws<ArgumentException>(() => tokenizer.EncodeRows(["cat", null!])).Message, StringComparison.Ordinal);
        Assert.Equal(0, tokenizer.EncodeRows([]).GetLength(0));
    }

    [Fact]
    public void Encode_VeryLongWord_Ends()
    {
        ClipTokenizer tokenizer = ClipTokenizer.FromMerges(_fewMerges);
        int[] ids = tokenizer.Encode(string.Concat(Enumerable.Repeat("ca", 20_000)));
        // Every "ca" merges but the last, whose a ends the word.
        Assert.Equal(20_001, ids.Length);
        Assert.All(ids[..19_999], id => Assert.Equal(516, id));
    }

    [Fact]
    public void Decode_ForeignId_Throws()
    {
        ClipTokenizer tokenizer = ClipTokenizer.FromMerges(_fewMerges);
        Assert.Equal("<|startoftext|>cat dog <|endoftext|>", tokenizer.Decode([517, 513, 515, 518]));
        Assert.Contains("0 to 518", Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Decode([519])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("merges.txt", "heading\na b c\n", "the merge 'a b c'")]
    [InlineData("merges.txt", "heading\nab c\n", "the merge 'ab c'")]
    [InlineData("merges.txt", "heading\na b\na b\n", "two merges give 'ab'")]
    [InlineData("merges.txt.gz", "\u001f\u008bnot gzip", "is not a merges file")]
    [InlineData("tokenizer.json", "{", "is not JSON")]
    [InlineData("tokenizer.json", "[]", "is not a tokenizer of CLIP's kind")]
    [InlineData("tokenizer.json", """{"model":{"vocab":{},"merges":[],"end_of_word_suffix":null}}""", "is not a tokenizer of CLIP's kind")]
    [InlineData("tokenizer.json", """{"model":{"vocab":{"a":"x"},"merges":[],"end_of_word_suffix":"</w>"}}""", "'a': x")]
    [InlineData("tokenizer.json", """{"model":{"vocab":[1],"merges":[],"end_of_word_suffix":"</w>"}}""", "got Array")]
    [InlineData("tokenizer.json", """{"model":{"vocab":{"a":0,"b":2},"merges":[],"end_of_word_suffix":"</w>"}}""", "the ids 0 to 1")]
    [InlineData("tokenizer.json", """{"model":{"vocab":{"a":0,"b":1},"merges":[],"end_of_word_suffix":"</w>"}}""", "lacks 512 of the symbols")]
    public void Load_BadFile_SaysWhatIsWrongAndWhere(string name, string text, string expected)
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write(name, Encoding.Latin1.GetBytes(text));
        var error = Assert.Throws<InvalidDataException>(() => ClipTokenizer.Load(path));
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NothingThere_SaysWhatItExpects()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("nowhere.gz", Assert.Throws<FileNotFoundException>(() => ClipTokenizer.Load("nowhere.gz")).Message, StringComparison.Ordinal);
        Assert.Contains("expected tokenizer.json", Assert.Throws<FileNotFoundException>(() => ClipTokenizer.Load(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromVocabulary_MergesOfAnotherModel_Throws()
    {
        using var folder = new TemporaryFolder();
        WriteHuggingFace(folder);
        string other = folder.Write("other.txt", "#version: 0.2\nx y\n");
        var error = Assert.Throws<InvalidDataException>(() => ClipTokenizer.FromVocabulary(Path.Combine(folder.Path, "vocab.json"), other));
        Assert.Contains("Do the two files belong together?", error.Message, StringComparison.Ordinal);
    }

    private static string WithoutSpace(string text) => string.Concat(text.Where(c => !char.IsWhiteSpace(c)));

    private static byte[] Gzip(string text)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            gzip.Write(Encoding.UTF8.GetBytes(text));
        }

        return packed.ToArray();
    }

    /// <summary>The vocabulary of the few merges as symbol to id, spelt out by the rules of METHODS 1.2.</summary>
    private static Dictionary<string, int> FewMergesVocabulary()
    {
        char[] alphabet = [.. Enumerable.Range(33, 94).Concat(Enumerable.Range(161, 12)).Concat(Enumerable.Range(174, 82)).Concat(Enumerable.Range(256, 68)).Select(c => (char)c)];
        string[] symbols =
        [
            .. alphabet.Select(c => c.ToString()), .. alphabet.Select(c => c + "</w>"),
            .. _fewMerges.Select(m => m.Replace(" ", "", StringComparison.Ordinal)), "<|startoftext|>", "<|endoftext|>",
        ];
        return symbols.Select((symbol, id) => (symbol, id)).ToDictionary(s => s.symbol, s => s.id);
    }

    private static string WriteHuggingFace(TemporaryFolder folder)
    {
        folder.Write("vocab.json", JsonSerializer.Serialize(FewMergesVocabulary()));
        folder.Write("merges.txt", "#version: 0.2\n" + string.Join('\n', _fewMerges) + "\n");
        return folder.Path;
    }

    private static string TokenizerJson(bool asPairs)
    {
        Dictionary<string, int> vocabulary = FewMergesVocabulary();
        int end = vocabulary["<|endoftext|>"];
        vocabulary.Remove("<|endoftext|>");
        return JsonSerializer.Serialize(new
        {
            added_tokens = new[] { new { id = end, content = "<|endoftext|>" } },
            model = new
            {
                type = "BPE",
                end_of_word_suffix = "</w>",
                vocab = vocabulary,
                merges = _fewMerges.Select(object (m) => asPairs ? m.Split(' ') : m),
            },
        });
    }
}

/// <summary>Random texts of what class names and captions hold: words, names, accents, scripts, emoji, punctuation, digits, entities.</summary>
internal static class TextFuzz
{
    private static readonly string[] _words =
    [
        "a", "photo", "of", "the", "Pembroke", "Welsh", "Corgi", "Geoffroy's", "T-shirt", "COVID-19", "crème", "Brûlée", "Ångström", "naïve",
        "don't", "WE'LL", "snake_case", "日本語", "テスト", "한국어", "Ελλάς", "ΟΔΟΣ", "Москва", "عربى", "हिन्दी", "ไทย", "İstanbul", "😀", "👩‍👩‍👧",
        "𝐀𝐁", "𠮷野家", "12345", "x²", "½", "!!!", ").", "…", "—", "&lt;b&gt;", "&amp;", "\t", "\u00a0", "“q”", "ﬁn", "e\u0301", "https://a.b/c?d=1",
    ];

    public static string[] Texts(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(3) == 0 ? Letters(random) : Words(random))];
    }

    private static string Words(Random random) =>
        string.Join(random.Next(4) == 0 ? "" : " ", Enumerable.Range(0, random.Next(12)).Select(_ => _words[random.Next(_words.Length)]));

    private static string Letters(Random random)
    {
        (int From, int To)[] ranges = [(0x20, 0x7E), (0xA1, 0x24F), (0x370, 0x3FF), (0x400, 0x45F), (0x3041, 0x30FF), (0x4E00, 0x9FFF), (0x1F300, 0x1F64F)];
        return string.Concat(Enumerable.Range(0, random.Next(30)).Select(_ =>
        {
            (int from, int to) = ranges[random.Next(ranges.Length)];
            return char.ConvertFromUtf32(random.Next(from, to + 1));
        }));
    }
}
