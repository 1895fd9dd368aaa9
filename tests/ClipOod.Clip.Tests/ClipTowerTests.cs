using ClipOod.Autodiff;

namespace ClipOod.Clip.Tests;

public sealed class ClipTowerTests
{
    private const int Batch = 3;

    [Fact]
    public void Pool_OfAnyImage_IsTheNormalizedClassTokenOfTokens()
    {
        using ClipModel model = ClipModel.Create(Tiny.Config, seed: 3);
        ClipImageTower tower = model.ImageTower;
        Tensor expected = Op.LayerNorm(
            tower.Tokens(model.Pixels).Slice(1, 0..1).Squeeze(1), tower.Weights["visual.ln_post.weight"], tower.Weights["visual.ln_post.bias"], Tiny.Config.LayerNormEpsilon);
        float[][] values = Run(model, Noise(), expected, tower.Pool(model.Pixels));
        Assert.All(values[0].Zip(values[1]), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }

    [Fact]
    public void Locals_OfTokensThatAreAllAlike_AreTheFeature()
    {
        // Attention over equal values gives that value; black images, no class embedding and one position for all make tokens alike.
        using ClipModel model = ClipModel.Create(Tiny.Config, seed: 4);
        IReadOnlyDictionary<string, Weight> weights = model.ImageTower.Weights;
        float[] position = Values(weights["visual.positional_embedding"])[..Tiny.Config.Vision.Width];
        Set(weights["visual.positional_embedding"], [.. Enumerable.Repeat(position, Tiny.Config.Patches + 1).SelectMany(p => p)]);
        Set(weights["visual.class_embedding"], new float[Tiny.Config.Vision.Width]);
        foreach (Weight bias in weights.Values.Where(p => p.Rank == 1))
        {
            // Biases and gains that are 0 and 1 would hide where they are left out.
            Set(bias, [.. Values(bias).Select((v, i) => v + (float)(0.1 * Math.Sin(i)))]);
        }

        Set(weights["visual.class_embedding"], new float[Tiny.Config.Vision.Width]);
        Tensor locals = model.ImageTower.Locals(model.Pixels);
        Assert.Equal(new Shape("batch", Tiny.Config.Patches, Tiny.Config.EmbeddingWidth), locals.Shape);
        float[][] values = Run(model, new float[Batch * model.ImageProcessor.ValueCount], model.ImageFeatures, locals);
        float[] feature = values[0][..model.Width];
        Assert.Contains(feature, value => Math.Abs(value) > 0.1);
        Assert.All(values[1].Chunk(model.Width), local => Assert.All(feature.Zip(local), pair => Assert.Equal(pair.First, pair.Second, 1e-5)));
    }

    [Fact]
    public void EncodeLocals_HasARowOfAllPatchesForEachPicture()
    {
        using ClipModel model = ClipModel.Create(Tiny.Config, seed: 6);
        RgbImage[] images = [.. Enumerable.Range(0, 3).Select(i => ClipEncodingTests.Noise(i, 20, 24))];
        ClipEncoding locals = model.EncodeLocals(images, new() { BatchSize = 2 }, TestContext.Current.CancellationToken);
        Assert.Equal((3, Tiny.Config.Patches * model.Width, false), (locals.Count, locals.Width, locals.IsNormalized));
        float[] pixels = [.. images.SelectMany(model.ImageProcessor.Process)];
        float[] expected = Run(model, pixels, model.ImageTower.Locals(model.Pixels))[0];
        Assert.All(expected.Zip(locals.Values), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }

    [Fact]
    public void Locals_OfOneBlock_ChangeWithTheirOwnPatchAlone()
    {
        using ClipModel model = ClipModel.Create(Tiny.Config with { Vision = Tiny.Config.Vision with { Layers = 1 } }, seed: 5);
        float[] pixels = Noise();
        Tensor locals = model.ImageTower.Locals(model.Pixels);
        float[] before = Run(model, pixels, locals)[0];

        // The last pixel of the first image's upper right patch, which is patch 1 of 4.
        pixels[(7 * Tiny.Config.ImageSize) + 15] += 1;
        float[] after = Run(model, pixels, locals)[0];
        int[] changed = [.. Enumerable.Range(0, before.Length).Where(i => Math.Abs(before[i] - after[i]) > 1e-5).Select(i => i / model.Width).Distinct()];
        Assert.Equal([1], changed);
    }

    private static float[] Noise()
    {
        Random random = new(6);
        return [.. Enumerable.Range(0, Batch * 3 * Tiny.Config.ImageSize * Tiny.Config.ImageSize).Select(_ => (float)(random.NextDouble() * 2) - 1)];
    }

    private static float[][] Run(ClipModel model, float[] pixels, params Tensor[] tensors)
    {
        using Evaluator evaluator = new(tensors);
        return [.. evaluator.Run((model.Pixels.Name, pixels)).Select(value => value.Values<float>())];
    }

    private static float[] Values(Weight weight) => weight.Value.Values<float>();

    private static void Set(Weight weight, float[] values) => weight.Value = TensorValue.Of(values, weight.Value.Shape);
}
