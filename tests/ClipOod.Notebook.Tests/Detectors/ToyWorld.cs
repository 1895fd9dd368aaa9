namespace ClipOod.Notebook.Tests;

/// <summary>A world small enough to look at: three ID classes, a near set one class of which is known, noise.</summary>
internal static class ToyWorld
{
    public const int Width = 16, Classes = 3, PerClass = 12;

    /// <summary>Classes along the first axes; near images between an axis and one of their own; noise anywhere.</summary>
    public static World Make(bool train = true, int texts = 3, int words = 40, int perClass = PerClass)
    {
        string[] classes = ["airplane", "disc", "square"];
        FeatureSet Id(string split, int seed) => Set("Shapes", split, classes, seed, k => k, noise: 0.4, perClass);
        FeatureSet Near(int seed) => Set("Near", "test", ["plane", "star"], seed, k => Classes + k, noise: 0.4);
        FeatureSet Noise(int seed) => Set("Noise", "test", ["static"], seed, _ => Width - 1, noise: 2);
        string[] list = ["airplane", "plane", "disc", "star", .. Enumerable.Range(0, words - 4).Select(i => i % 4 == 0 ? $"old word {i}" : $"word{i}x")];
        TextFeatures text = new(Axes(texts), classes[..texts], "a {}", "made by hand");
        Dataset set = new("A", train ? Id("train", 1) : null, train ? Id("validation", 2) : null, Id("test", 3), [.. Enumerable.Range(0, texts)], [text], "Toy.");
        return new World(
            "toy", "Made by hand.", "none", [set], [("near", Near(4), Near(5)), ("noise", Noise(6), Noise(7))],
            [("words", new TextFeatures(Set("Words", "", list, 8, k => k % Width, noise: 1, perClass: 1).Features, list, "a {}", "made by hand"))], logitScale: 20);
    }

    private static Embeddings Axes(int rows) => new(
        rows, Width, Enumerable.Range(0, rows * Width).Select(i => i / Width == i % Width ? 1f : 0f).ToArray());

    private static FeatureSet Set(string name, string split, string[] classes, int seed, Func<int, int> axis, double noise, int perClass = PerClass)
    {
        Random random = new(seed);
        int[] labels = [.. Enumerable.Range(0, classes.Length * perClass).Select(i => i / perClass)];
        float[] values = [.. labels.SelectMany(k => Enumerable.Range(0, Width).Select(d =>
            (float)((d == axis(k) ? 1 : 0) + (noise * ((random.NextDouble() + random.NextDouble() + random.NextDouble()) - 1.5) / Math.Sqrt(Width) * 2))))];
        return new FeatureSet(name, split, new Embeddings(labels.Length, Width, values).Normalized(), labels, classes, "made by hand");
    }
}
