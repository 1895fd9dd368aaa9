namespace ClipOod.Autodiff.Tests;

/// <summary>A small vision transformer with a linear classifier, the model of the training-speed target.</summary>
internal static class SmallVit
{
    public sealed record Sizes(int Image, int Patch, int Width, int Heads, int Layers, int Classes);

    /// <summary>4 layers, width 192, 3 heads, images of 64 x 64, patches of 8 x 8.</summary>
    public static readonly Sizes Default = new(64, 8, 192, 3, 4, 100);

    /// <summary>Builds it with inputs "images" (batch, 3, H, W) and "labels" (batch); returns the logits and the loss.</summary>
    public static (Tensor Logits, Tensor Loss) Build(Graph graph, Sizes sizes, int seed)
    {
        int width = sizes.Width;
        int tokens = 1 + (sizes.Image / sizes.Patch * (sizes.Image / sizes.Patch));
        Weight matrix(string name, params long[] shape) => graph.Weight(name, shape, Initial.Normal(0.02, seed++));
        Weight constant(string name, double value, params long[] shape) => graph.Weight(name, shape, Initial.Constant(value));
        Tensor norm(string name, Tensor x) => Op.LayerNorm(x, constant($"{name}.weight", 1, width), constant($"{name}.bias", 0, width));
        Tensor linear(string name, Tensor x, int outputs) => Op.Linear(
            x, matrix($"{name}.weight", outputs, x.Shape[-1].Size), constant($"{name}.bias", 0, outputs), transposed: true);

        Tensor images = graph.Input("images", graph.Type, "batch", 3, sizes.Image, sizes.Image);
        Tensor labels = graph.Input("labels", ElementType.Int64, "batch");
        Tensor patches = Op.PatchEmbedding(images, matrix("patch.weight", width, 3, sizes.Patch, sizes.Patch), constant("patch.bias", 0, width));
        Tensor x = Op.Concat(1, matrix("class", 1, 1, width).BroadcastTo("batch", 1, width), patches) + matrix("position", tokens, width);
        int headWidth = width / sizes.Heads;
        for (int layer = 0; layer < sizes.Layers; layer++)
        {
            Tensor[] qkv = linear($"{layer}.qkv", norm($"{layer}.norm1", x), 3 * width)
                .Reshape("batch", tokens, 3, sizes.Heads, headWidth)
                .Transpose(2, 0, 3, 1, 4)
                .Split(0, 3);
            Tensor[] heads = [.. qkv.Select(t => t.Squeeze(0))];
            Tensor attention = (heads[0] * (1 / Math.Sqrt(headWidth))).MatMul(heads[1].SwapLastAxes()).Softmax();
            Tensor mixed = attention.MatMul(heads[2]).Transpose(0, 2, 1, 3).Reshape("batch", tokens, width);
            x = x + linear($"{layer}.out", mixed, width);
            Tensor hidden = linear($"{layer}.up", norm($"{layer}.norm2", x), 4 * width).Gelu();
            x = x + linear($"{layer}.down", hidden, width);
        }

        Tensor logits = linear("head", norm("norm", x.Slice(1, 0..1).Squeeze(1)), sizes.Classes);
        return (logits, Op.CrossEntropy(logits, labels));
    }
}
