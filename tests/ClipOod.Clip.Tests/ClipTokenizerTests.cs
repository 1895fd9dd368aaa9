using System.Text.Json;

namespace ClipOod.Clip.Tests;

public sealed partial class ClipTokenizerTests
{
    private static readonly Lazy<ClipTokenizer> _published = new(() => ClipTokenizer.Load(References.ClipGolden("bpe_simple_vocab_16e6.txt.gz")));

    public static TheoryData<string> GoldenTexts => new(References.Tokenizer.GetProperty("expected").EnumerateObject().Select(t => t.Name));

    [Theory, MemberData(nameof(GoldenTexts))]
    public void Encode_GoldenText_GivesCLIPsIds(string text)
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

        var error = Assert.Throws<ArgumentException>(() => _published.Value.EncodeRows(["short", text], overflow: OverflowMode.Throw));
        Assert.Contains("Text 1 has 170 tokens, but 75 fit", error.Message, StringComparison.Ordinal);
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
}
