using System.Globalization;
using ClipOod.Clip;

namespace ClipOod.Notebook.Tests;

/// <summary>A CLIP of small sizes with random weights, and folders of small pictures of noise.</summary>
internal static class TinyClip
{
    public static ClipTokenizer Tokenizer { get; } = ClipTokenizer.FromMerges(["a t</w>", "c at</w>", "o g</w>", "d og</w>", "c a"]);

    public static ClipModel Create(int seed = 5, int width = 16) => ClipModel.Create(
        new ClipConfig
        {
            EmbeddingWidth = width,
            ImageSize = 16,
            PatchSize = 8,
            Vision = new(32, 1, 2, 64),
            ContextLength = 12,
            VocabularySize = Tokenizer.VocabularySize,
            Text = new(32, 1, 2, 64),
            Activation = ClipActivation.Gelu,
        },
        seed,
        Tokenizer);

    /// <summary>Writes a folder with a folder for each class, and in it PNG files.</summary>
    public static void WriteImages(string folder, IReadOnlyList<string> classes, int perClass, int seed = 1, int side = 12)
    {
        Random random = new(seed);
        foreach (string name in classes)
        {
            string own = Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
            for (int i = 0; i < perClass; i++)
            {
                byte[] pixels = new byte[3 * side * side];
                random.NextBytes(pixels);
                File.WriteAllBytes(Path.Combine(own, string.Create(CultureInfo.InvariantCulture, $"{i:D4}.png")), new ImageBatch(1, side, side, pixels).ToPng(0));
            }
        }
    }
}
