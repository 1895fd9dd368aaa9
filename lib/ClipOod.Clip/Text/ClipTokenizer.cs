using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Microsoft.ML.Tokenizers;

namespace ClipOod.Clip;

/// <summary>What to do with a text that has more tokens than fit.</summary>
public enum OverflowMode
{
    /// <summary>Keep the first tokens and end the row with the end token (open_clip, and OpenAI's <c>truncate=True</c>).</summary>
    Truncate,

    /// <summary>Refuse the text (OpenAI's default).</summary>
    Throw,
}

/// <summary>
/// CLIP's tokenizer: byte-level byte-pair encoding of cleaned, lower-cased text, each word's last symbol marked with <c>&lt;/w&gt;</c>.
/// Safe to use from several threads at once.
/// </summary>
/// <remarks>Source: <c>openai/CLIP simple_tokenizer.py</c> and <c>clip.py tokenize</c>.</remarks>
public sealed class ClipTokenizer
{
    /// <summary>The context length of every published CLIP text encoder.</summary>
    public const int DefaultContextLength = 77;

    /// <summary>The number of tokens of the published vocabulary.</summary>
    public const int PublishedVocabularySize = 49408;

    private const string StartSymbol = "<|startoftext|>";
    private const string EndSymbol = "<|endoftext|>";
    private const string WordEnd = "</w>";

    /// <summary>The printable character that stands for each byte: itself where it is one, else the next from U+0100 on.</summary>
    private static readonly char[] _characterOfByte = BuildByteAlphabet();

    private static readonly Dictionary<char, byte> _byteOfCharacter =
        Enumerable.Range(0, 256).ToDictionary(b => _characterOfByte[b], b => (byte)b);

    private static readonly ClipPreTokenizer _preTokenizer = new([StartSymbol, EndSymbol]);

    private readonly BpeTokenizer _bpe;
    private readonly string[] _symbols;

    private ClipTokenizer(IReadOnlyDictionary<string, int> vocabulary, IReadOnlyList<string> merges, string source)
    {
        _symbols = new string[vocabulary.Count];
        foreach ((string symbol, int id) in vocabulary)
        {
            if (id < 0 || id >= _symbols.Length || _symbols[id] is not null)
            {
                throw new InvalidDataException(
                    $"{source}: the {_symbols.Length} symbols must have the ids 0 to {_symbols.Length - 1}, each once; got {id} for '{symbol}'.");
            }

            _symbols[id] = symbol;
        }

        string[] missing = [.. RequiredSymbols().Where(s => !vocabulary.ContainsKey(s))];
        if (missing.Length > 0)
        {
            throw new InvalidDataException(
                $"{source}: the vocabulary lacks {missing.Length} of the symbols that any text may need (each byte, each byte with {WordEnd}, "
                + $"{StartSymbol}, {EndSymbol}), such as '{missing[0]}'. Expected a vocabulary made for CLIP.");
        }

        foreach (string merge in merges)
        {
            string[] pair = merge.Split(' ');
            if (pair.Length != 2 || !vocabulary.ContainsKey(pair[0]) || !vocabulary.ContainsKey(pair[1]) || !vocabulary.ContainsKey(pair[0] + pair[1]))
            {
                throw new InvalidDataException(
                    $"{source}: the merge '{merge}' must be two symbols of the vocabulary, separated by one space, whose join is one too. Do the two files belong together?");
            }
        }

        StartId = vocabulary[StartSymbol];
        EndId = vocabulary[EndSymbol];
        _bpe = BpeTokenizer.Create(new BpeOptions(vocabulary)
        {
            Merges = merges,
            EndOfWordSuffix = WordEnd,
            ByteLevel = true,
            PreTokenizer = _preTokenizer,
            SpecialTokens = new Dictionary<string, int> { [StartSymbol] = StartId, [EndSymbol] = EndId },
        });
    }

    /// <summary>The number of tokens; ids are 0 to this minus 1.</summary>
    public int VocabularySize => _symbols.Length;

    /// <summary>The id that begins every row: 49406 in the published vocabulary.</summary>
    public int StartId { get; }

    /// <summary>The id that ends every text, the largest of a row, where CLIP reads the text's feature: 49407 in the published vocabulary.</summary>
    public int EndId { get; }

    /// <summary>Reads whichever of the published forms the path names.</summary>
    /// <param name="path">
    /// OpenAI's merges (<c>bpe_simple_vocab_16e6.txt.gz</c>, packed or not), Hugging Face's <c>tokenizer.json</c>, or a folder that
    /// holds <c>tokenizer.json</c>, or <c>vocab.json</c> with <c>merges.txt</c>, or OpenAI's merges; looked for in this order.
    /// </param>
    /// <exception cref="FileNotFoundException">There is no such file, or the folder holds none of them.</exception>
    /// <exception cref="InvalidDataException">A file is not of the form that it should be; the message names it.</exception>
    public static ClipTokenizer Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!Directory.Exists(path))
        {
            return path.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? FromTokenizerJson(path) : FromMergesFile(path);
        }

        string In(string name) => Path.Combine(path, name);
        if (File.Exists(In("tokenizer.json")))
        {
            return FromTokenizerJson(In("tokenizer.json"));
        }

        if (File.Exists(In("vocab.json")) && File.Exists(In("merges.txt")))
        {
            return FromVocabulary(In("vocab.json"), In("merges.txt"));
        }

        string? openAi = Directory.EnumerateFiles(path, "bpe_simple_vocab_*.txt*").Order(StringComparer.Ordinal).FirstOrDefault();
        return openAi is not null
            ? FromMergesFile(openAi)
            : throw new FileNotFoundException(
                $"The folder '{path}' holds no tokenizer: expected tokenizer.json, or vocab.json and merges.txt, or bpe_simple_vocab_16e6.txt.gz.", path);
    }

    /// <summary>Builds a tokenizer from merges alone, in CLIP's order of ids: bytes, bytes that end a word, merges, start, end.</summary>
    /// <param name="merges">The merges in order of rank, each two symbols separated by one space; none gives a tokenizer of bytes.</param>
    /// <exception cref="InvalidDataException">A merge joins what no earlier line gives, or repeats.</exception>
    public static ClipTokenizer FromMerges(IEnumerable<string> merges)
    {
        ArgumentNullException.ThrowIfNull(merges);
        return FromMerges([.. merges], "The merges");
    }

    /// <summary>Reads OpenAI's merges file: a heading line, then one merge a line.</summary>
    /// <param name="path">The text file, gzip-packed or not.</param>
    /// <param name="vocabularySize">
    /// The number of tokens to build: the published file holds more merges than CLIP uses. A shorter file gives the smaller vocabulary it has.
    /// </param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is not a merges file; the message names it.</exception>
    public static ClipTokenizer FromMergesFile(string path, int vocabularySize = PublishedVocabularySize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, RequiredSymbols().Count());
        byte[] bytes = ReadFile(path);
        string text;
        try
        {
            using Stream stream = bytes is [0x1F, 0x8B, ..]
                ? new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress)
                : new MemoryStream(bytes);
            text = new StreamReader(stream, new UTF8Encoding(false, throwOnInvalidBytes: true)).ReadToEnd();
        }
        catch (Exception e) when (e is InvalidDataException or DecoderFallbackException)
        {
            throw new InvalidDataException($"'{path}' is not a merges file: {e.Message} Expected UTF-8 text, plain or packed by gzip.", e);
        }

        string[] lines = MergeLines(text, skipHeading: true);
        return FromMerges([.. lines.Take(vocabularySize - RequiredSymbols().Count())], $"'{path}'");
    }

    /// <summary>Reads Hugging Face's pair of files.</summary>
    /// <param name="vocabularyPath"><c>vocab.json</c>: an object of symbol to id.</param>
    /// <param name="mergesPath"><c>merges.txt</c>: an optional heading that begins with #version, then one merge a line.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">A file is not of that form, or the two do not belong together.</exception>
    public static ClipTokenizer FromVocabulary(string vocabularyPath, string mergesPath)
    {
        using JsonDocument json = ReadJson(vocabularyPath);
        string text = Encoding.UTF8.GetString(ReadFile(mergesPath));
        string[] merges = MergeLines(text, skipHeading: text.StartsWith("#version", StringComparison.Ordinal));
        return new ClipTokenizer(Vocabulary(json.RootElement, vocabularyPath), merges, $"'{vocabularyPath}' and '{mergesPath}'");
    }

    /// <summary>Reads Hugging Face's single file.</summary>
    /// <param name="path"><c>tokenizer.json</c> of a CLIP model: a BPE model whose words end with <c>&lt;/w&gt;</c>.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is of another kind of tokenizer, or is no JSON.</exception>
    public static ClipTokenizer FromTokenizerJson(string path)
    {
        using JsonDocument json = ReadJson(path);
        if (!TryGet(json.RootElement, "model", out JsonElement model)
            || !TryGet(model, "vocab", out JsonElement vocab)
            || !TryGet(model, "merges", out JsonElement list) || list.ValueKind != JsonValueKind.Array
            || !TryGet(model, "end_of_word_suffix", out JsonElement suffix) || suffix.ValueKind != JsonValueKind.String || suffix.GetString() != WordEnd)
        {
            throw new InvalidDataException(
                $"'{path}' is not a tokenizer of CLIP's kind: expected model.vocab, model.merges and model.end_of_word_suffix = \"{WordEnd}\" (byte-pair encoding).");
        }

        // Older files write a merge as "a b", newer ones as ["a", "b"].
        string[] merges = [.. list.EnumerateArray().Select(m => m.ValueKind switch
        {
            JsonValueKind.String => m.GetString()!,
            JsonValueKind.Array => string.Join(' ', m.EnumerateArray().Select(s => s.ToString())),
            _ => m.ToString(),
        })];
        Dictionary<string, int> vocabulary = Vocabulary(vocab, path);
        if (TryGet(json.RootElement, "added_tokens", out JsonElement added) && added.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement token in added.EnumerateArray())
            {
                if (TryGet(token, "content", out JsonElement content) && TryGet(token, "id", out JsonElement id) && id.TryGetInt32(out int value))
                {
                    vocabulary.TryAdd(content.ToString(), value);
                }
            }
        }

        return new ClipTokenizer(vocabulary, merges, $"'{path}'");
    }

    /// <summary>
    /// Text as the tokenizer sees it: Unicode repaired (composed, straight quotes, no ligatures, no full-width forms, no control
    /// characters), HTML entities undone twice, white space collapsed, lower case.
    /// </summary>
    /// <param name="text">Any text.</param>
    public static string Clean(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TextCleaner.Clean(text);
    }

    /// <summary>The ids of a text's tokens, of any number, without start, end and padding.</summary>
    /// <param name="text">Any text; it is cleaned first. An empty one gives no ids.</param>
    public int[] Encode(string text) => [.. _bpe.EncodeToIds(Clean(text), considerNormalization: false)];

    /// <summary>The input of a text encoder: for each text a row of start, tokens, end and zeros.</summary>
    /// <param name="texts">The texts, any number.</param>
    /// <param name="contextLength">The length of a row, 2 or more: the number of positions that the text encoder has.</param>
    /// <param name="overflow">What to do with a text whose tokens do not fit between start and end.</param>
    /// <returns>texts × context length.</returns>
    /// <exception cref="ArgumentException">A text does not fit and <paramref name="overflow"/> is Throw; the message quotes it.</exception>
    public int[,] EncodeRows(IReadOnlyList<string> texts, int contextLength = DefaultContextLength, OverflowMode overflow = OverflowMode.Truncate)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentOutOfRangeException.ThrowIfLessThan(contextLength, 2);
        var rows = new int[texts.Count, contextLength];
        for (int row = 0; row < texts.Count; row++)
        {
            int[] ids = Encode(texts[row] ?? throw new ArgumentException($"Text {row} is null.", nameof(texts)));
            int room = contextLength - 2;
            if (ids.Length > room && overflow == OverflowMode.Throw)
            {
                string start = texts[row].Length > 80 ? texts[row][..80] + "…" : texts[row];
                throw new ArgumentException(
                    $"Text {row} has {ids.Length} tokens, but {room} fit in a context of {contextLength}: \"{start}\". Shorten it or use {nameof(OverflowMode)}.{nameof(OverflowMode.Truncate)}.",
                    nameof(texts));
            }

            rows[row, 0] = StartId;
            int used = Math.Min(ids.Length, room);
            for (int i = 0; i < used; i++)
            {
                rows[row, i + 1] = ids[i];
            }

            rows[row, used + 1] = EndId;
        }

        return rows;
    }

    /// <summary>
    /// The text of ids: bytes joined, a space after each piece that ends a word (so also before punctuation), start and end written out.
    /// Bytes that are no UTF-8, as of a token that is half a character, come out as U+FFFD.
    /// </summary>
    /// <param name="ids">Ids of this vocabulary.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id is not of this vocabulary.</exception>
    public string Decode(IEnumerable<int> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var bytes = new List<byte>();
        foreach (int id in ids)
        {
            if (id < 0 || id >= _symbols.Length)
            {
                throw new ArgumentOutOfRangeException(nameof(ids), id, $"Expected ids from 0 to {_symbols.Length - 1}.");
            }

            string symbol = _symbols[id];
            if (id == StartId || id == EndId)
            {
                bytes.AddRange(Encoding.ASCII.GetBytes(symbol));
                continue;
            }

            bool endsWord = symbol.EndsWith(WordEnd, StringComparison.Ordinal);
            bytes.AddRange((endsWord ? symbol[..^WordEnd.Length] : symbol).Select(c => _byteOfCharacter[c]));
            if (endsWord)
            {
                bytes.Add((byte)' ');
            }
        }

        return Encoding.UTF8.GetString([.. bytes]).TrimEnd(' ');
    }

    /// <summary>
    /// The words of a text, cleaned and split as for encoding, each as its symbols before any merge: one a byte, the last marked as the
    /// word's end. Start and end written out are no words.
    /// </summary>
    internal static IEnumerable<string[]> SymbolsOfWords(string text)
    {
        string clean = Clean(text);
        foreach ((int offset, int length) in _preTokenizer.PreTokenize(clean))
        {
            string word = clean.Substring(offset, length);
            if (word is not (StartSymbol or EndSymbol))
            {
                string[] symbols = [.. Encoding.UTF8.GetBytes(word).Select(b => _characterOfByte[b].ToString())];
                symbols[^1] += WordEnd;
                yield return symbols;
            }
        }
    }

    private static ClipTokenizer FromMerges(string[] merges, string source)
    {
        string[] required = [.. RequiredSymbols()];
        string[] symbols = [.. required[..^2], .. merges.Select(m => m.Replace(" ", "", StringComparison.Ordinal)), .. required[^2..]];
        var vocabulary = new Dictionary<string, int>(symbols.Length);
        for (int id = 0; id < symbols.Length; id++)
        {
            if (!vocabulary.TryAdd(symbols[id], id))
            {
                throw new InvalidDataException($"{source}: two merges give '{symbols[id]}', or one gives a symbol of a single byte.");
            }
        }

        return new ClipTokenizer(vocabulary, merges, source);
    }

    /// <summary>The symbols that any text may need, in the order of their ids in the published vocabulary.</summary>
    private static IEnumerable<string> RequiredSymbols()
    {
        char[] ordered = [.. _characterOfByte.Order()];
        return [.. ordered.Select(c => c.ToString()), .. ordered.Select(c => c + WordEnd), StartSymbol, EndSymbol];
    }

    private static char[] BuildByteAlphabet()
    {
        char next = (char)256;
        return [.. Enumerable.Range(0, 256).Select(b => b is (>= 33 and <= 126) or (>= 161 and <= 172) or (>= 174) ? (char)b : next++)];
    }

    private static string[] MergeLines(string text, bool skipHeading) =>
        [.. text.Split('\n').Skip(skipHeading ? 1 : 0).Select(line => line.TrimEnd('\r')).Where(line => line.Length > 0)];

    private static Dictionary<string, int> Vocabulary(JsonElement element, string path)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidDataException($"'{path}': expected the vocabulary as an object of symbol to id, got {element.ValueKind}.");
        }

        var vocabulary = new Dictionary<string, int>();
        foreach (JsonProperty entry in element.EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.Number || !entry.Value.TryGetInt32(out int id) || !vocabulary.TryAdd(entry.Name, id))
            {
                throw new InvalidDataException($"'{path}': expected each symbol once with a whole number as its id, got '{entry.Name}': {entry.Value}.");
            }
        }

        return vocabulary;
    }

    private static JsonDocument ReadJson(string path)
    {
        try
        {
            return JsonDocument.Parse(ReadFile(path));
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"'{path}' is not JSON: {e.Message}", e);
        }
    }

    private static bool TryGet(JsonElement element, string name, out JsonElement value)
    {
        value = default;
        return element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out value);
    }

    private static byte[] ReadFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return File.Exists(path)
            ? File.ReadAllBytes(path)
            : throw new FileNotFoundException($"There is no tokenizer file '{path}'.", path);
    }
}
