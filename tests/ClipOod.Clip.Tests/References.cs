using System.Buffers.Binary;
using System.Text.Json;

namespace ClipOod.Clip.Tests;

/// <summary>The values that the tests compare with: the specification's golden file, and the folder that CLIPOOD_CLIP_GOLDEN names.</summary>
internal static class References
{
    private static readonly Lazy<JsonDocument> _golden =
        new(() => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", "GOLDEN.json"))));

    public static JsonElement Tokenizer => _golden.Value.RootElement.GetProperty("tokenizer");

    public static JsonElement Adversarial => _golden.Value.RootElement.GetProperty("adversarial");

    public static JsonElement Preprocess => _golden.Value.RootElement.GetProperty("preprocess");

    public static int[] Integers(this JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetInt32())];

    /// <summary>A path in the folder of reference values; skips the test, saying why, where the variable is unset.</summary>
    public static string ClipGolden(string name)
    {
        string? folder = Environment.GetEnvironmentVariable("CLIPOOD_CLIP_GOLDEN");
        Assert.SkipUnless(folder is not null, "CLIPOOD_CLIP_GOLDEN is unset: it names the folder of reference values for CLIP itself (clip-golden).");
        return Path.Combine(folder!, name);
    }

    /// <summary>Pillow's pixels of a reference image: "decoded" (H × W × 3) or "uint8" (224 × 224 × 3).</summary>
    public static (byte[] Values, int[] Shape) Pillow(string image, string what)
    {
        byte[] file = File.ReadAllBytes(ClipGolden("images-expected.safetensors"));
        int header = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        using JsonDocument json = JsonDocument.Parse(file.AsMemory(8, header - 8));
        JsonElement tensor = json.RootElement.GetProperty($"{image}.{what}");
        int[] offsets = tensor.GetProperty("data_offsets").Integers();
        return (file[(header + offsets[0])..(header + offsets[1])], tensor.GetProperty("shape").Integers());
    }
}
