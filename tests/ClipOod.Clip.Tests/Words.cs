namespace ClipOod.Clip.Tests;

/// <summary>A small vocabulary and a model of its size.</summary>
internal static class Words
{
    public static ClipTokenizer Tokenizer { get; } = ClipTokenizer.FromMerges(["a t</w>", "c at</w>", "o g</w>", "d og</w>", "c a"]);

    public static ClipConfig Config => Tiny.Config with { VocabularySize = Tokenizer.VocabularySize };
}
