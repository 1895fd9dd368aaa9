using CsCheck;

namespace ClipOod.Clip.Tests;

public sealed class BpeTrainingTests
{
    private static readonly string[] _captions = ["A photo of a cat.", "a photo of a dog", "a dog &amp; a CAT", "naïve cats, don't!", "猫 <|endoftext|>"];

    [Fact]
    public void Learn_TheExampleOfThePaper_GivesItsMerges() =>
        // Sennrich et al. 2016, algorithm 1; ties by text.
        Assert.Equal(
            ["e s", "es t</w>", "l o", "e w", "ew est</w>", "n ewest</w>"],
            BpeTraining.Learn([.. Repeat("low", 5), .. Repeat("lower", 2), .. Repeat("newest", 6), .. Repeat("widest", 3)], 6));

    [Fact]
    public void Learn_PairsThatOccurEquallyOften_TakesTheFirstInOrdinalOrder() =>
        Assert.Equal(["a b</w>", "a c</w>", "b a</w>"], BpeTraining.Learn(["ba ac", "ab"], 10));

    [Fact]
    public void Learn_TextsInAnotherOrder_GivesTheSameMerges() =>
        Assert.Equal(BpeTraining.Learn(_captions, 40), BpeTraining.Learn(_captions.Reverse(), 40));

    [Fact]
    public void Learn_FewerMerges_GivesTheFirstOfMore() =>
        Assert.Equal(BpeTraining.Learn(_captions, 40).Take(7), BpeTraining.Learn(_captions, 7));

    [Fact]
    public void Learn_MoreMergesThanPairs_MakesEachWordOneToken()
    {
        ClipTokenizer tokenizer = ClipTokenizer.FromMerges(BpeTraining.Learn(_captions, 1000));
        Assert.Equal(["a ", "photo ", "of ", "a ", "cat ", ". "], tokenizer.Encode(_captions[0]).Select(id => tokenizer.Decode([id]) + " "));
        Assert.Equal(4, tokenizer.Encode("a dog & a").Length);
        Assert.Single(tokenizer.Encode("猫"));
        Assert.Equal([tokenizer.EndId], tokenizer.Encode("<|endoftext|>"));
    }

    [Fact]
    public void Learn_NoTexts_GivesNoMerges()
    {
        Assert.Empty(BpeTraining.Learn([], 10));
        Assert.Empty(BpeTraining.Learn(["", " a "], 10));
        Assert.Empty(BpeTraining.Learn(_captions, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => BpeTraining.Learn(_captions, -1));
    }

    [Fact]
    public void Learn_AnyTexts_GivesMergesThatATokenizerTakes() =>
        // Few letters give long runs and joins that have two ways to arise.
        Gen.String[Gen.Char["aabbc 'é"], 0, 30].Array[1, 8].Sample(texts =>
        {
            IReadOnlyList<string> merges = BpeTraining.Learn(texts, 60);
            ClipTokenizer tokenizer = ClipTokenizer.FromMerges(merges);
            Assert.All(texts, text => Assert.Equal(Words(ClipTokenizer.Clean(text)), Words(tokenizer.Decode(tokenizer.Encode(text)))));
            Assert.All(merges, (merge, rank) => Assert.Contains(514 - 2 + rank, Ids(merges.Take(rank + 1), texts)));

            static string Words(string text) => text.Replace(" ", "", StringComparison.Ordinal);
        }, iter: 200);

    [Fact]
    public void Save_LearnedMerges_AreReadBack()
    {
        using TemporaryFolder folder = new();
        IReadOnlyList<string> merges = BpeTraining.Learn(_captions, 12);
        string path = Path.Combine(folder.Path, "bpe_simple_vocab_small.txt");
        BpeTraining.Save(path, ["a b"]);
        BpeTraining.Save(path, merges);
        Assert.Equal(["#version: 0.2", .. merges], File.ReadAllLines(path));
        ClipTokenizer direct = ClipTokenizer.FromMerges(merges);
        foreach (string source in new[] { path, folder.Path })
        {
            ClipTokenizer read = ClipTokenizer.Load(source);
            Assert.Equal(526, read.VocabularySize);
            Assert.All(_captions, caption => Assert.Equal(direct.Encode(caption), read.Encode(caption)));
        }
    }

    [Fact]
    public void Save_NoMergesOfATokenizer_WritesNothing()
    {
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, "merges.txt");
        Assert.Contains("'ab c'", Assert.Throws<InvalidDataException>(() => BpeTraining.Save(path, ["ab c"])).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    private static IEnumerable<string> Repeat(string word, int times) => Enumerable.Repeat(word, times);

    /// <summary>The ids of texts after the first merges alone: the newest merge must occur.</summary>
    private static HashSet<int> Ids(IEnumerable<string> first, string[] texts)
    {
        ClipTokenizer tokenizer = ClipTokenizer.FromMerges(first);
        return [.. texts.SelectMany(tokenizer.Encode)];
    }
}
