using ClipOod.Autodiff;

namespace ClipOod.Clip.Tests;

/// <summary>The model against the values that the published code gives on the same weights.</summary>
public sealed class ClipParityTests : IDisposable
{
    // Relative to the largest magnitude of a tensor.
    private const double Tolerance = 1e-4;

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, string, string> Cases => new(
        from layout in new[] { "openai", "huggingface" }
        from activation in new[] { "quick_gelu", "gelu" }
        from form in layout == "openai" ? new[] { "file", "sharded", "openclip" } : ["file", "sharded"]
        select (layout, activation, form));

    public void Dispose() => _folder.Dispose();

    [Theory, MemberData(nameof(Cases))]
    public void ForwardAndGradients_OfEveryLayoutAndActivation_AreThoseOfThePublishedCode(string layout, string activation, string form)
    {
        using SafetensorsFile expected = Safetensors.Open(References.ClipGolden($"tiny-expected-{activation}.safetensors"));
        using ClipModel model = Tiny.Load(_folder, layout, activation, form);
        Tensor loss = ClipLosses.Contrastive(model.Logits);
        (string name, Tensor tensor)[] differentiated =
        [
            .. expected.Names.Where(name => name.StartsWith("grad.", StringComparison.Ordinal)).Select(name =>
                (name, name == "grad.pixels" ? model.Pixels : model.Graph.Weights.Single(p => p.Name == name["grad.".Length..]))),
        ];

        // Every weight of the model is among them.
        Assert.Equal(model.Config.TensorShapes.Count + 1, differentiated.Length);
        IReadOnlyList<Tensor> gradients = model.Graph.Gradients(loss, [.. differentiated.Select(d => d.tensor)]);
        using Evaluator evaluator = new([model.ImageFeatures, model.TextFeatures, model.Logits, loss, .. gradients]);
        IReadOnlyList<TensorValue> values = evaluator.Run(
            (model.Pixels.Name, expected["pixels"].ToSingles()),
            (model.Ids.Name, TensorValue.Of(expected["ids"].ToInt64s(), 6, model.Config.ContextLength)));
        string[] names = ["image_features", "text_features", "logits_per_image", "loss", .. differentiated.Select(d => d.name)];
        double worst = 0;
        foreach ((string name, TensorValue value) in names.Zip(values))
        {
            worst = Math.Max(worst, RelativeError(expected[name], value.Values<float>()));
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{layout} {activation} {form}: largest relative error {worst:0.0e0} over {names.Length} tensors");
        Assert.InRange(worst, 0, Tolerance);
    }

    [Fact]
    public void Clipn_LossesAndGradientsOfTheNoTower_AreThoseOfThePublishedCode()
    {
        using SafetensorsFile expected = Safetensors.Open(References.ClipGolden("tiny-clipn-expected.safetensors"));
        using ClipModel model = Tiny.Load(_folder, "openai", "quick_gelu", "file");
        ClipNoTextTower no = ClipNoTextTower.Load(model, References.ClipGolden("tiny-no-text-openai.safetensors"));
        Tensor images = model.Graph.Input("images", ElementType.Float, "batch", model.Width);
        Tensor texts = model.Graph.Input("captions", ElementType.Float, "batch", model.Width);
        Tensor noFeatures = no.Encode(model.Ids);

        // The file has the scale, the model its logarithm.
        model.LogitScale.Value = TensorValue.Of([MathF.Log(expected["logit_scale"].ToSingles()[0])]);
        ClipnLoss loss = ClipLosses.Clipn(images, texts, noFeatures, model.LogitScale);
        (string Name, Weight Weight)[] differentiated =
            [.. no.Tower.Weights.Select(p => ($"grad.{p.Key}", p.Value)), ("grad.no_prompt", no.Prompts)];
        Assert.Equal(expected.Names.Count(name => name.StartsWith("grad.", StringComparison.Ordinal)), differentiated.Length);
        IReadOnlyList<Tensor> gradients = model.Graph.Gradients(loss.Total, [.. differentiated.Select(d => d.Weight)]);
        using Evaluator evaluator = new([noFeatures, loss.Matching, loss.Unrelated, loss.TextSemantics, loss.Total, .. gradients]);
        IReadOnlyList<TensorValue> values = evaluator.Run(
            ("images", expected["image_features_unit"].ToSingles()),
            ("captions", expected["text_features_unit"].ToSingles()),
            (model.Ids.Name, TensorValue.Of(expected["ids"].ToInt64s(), 6, model.Config.ContextLength)));
        string[] names = ["no_text_features", "itbo_diag", "itbo_offdiag", "tso", "total", .. differentiated.Select(d => d.Name)];
        double[] errors = [.. names.Zip(values, (name, value) => RelativeError(expected[name], value.Values<float>()))];
        TestContext.Current.TestOutputHelper?.WriteLine($"CLIPN: largest relative error {errors.Max():0.0e0} over {names.Length} tensors");
        Assert.All(names.Zip(errors), entry => Assert.InRange(entry.Second, 0, Tolerance));
    }

    [Fact]
    public void EncodeTokens_RowsCutAfterTheirEnd_GivesTheFeaturesOfWholeRows()
    {
        using SafetensorsFile expected = Safetensors.Open(References.ClipGolden("tiny-expected-gelu.safetensors"));
        using ClipModel model = Tiny.Load(_folder, "openai", "gelu", "file");
        int[] ids = expected["ids"].ToInt32s();
        int[,] rows = new int[6, model.Config.ContextLength];
        Buffer.BlockCopy(ids, 0, rows, 0, ids.Length * sizeof(int));
        ClipEncoding encoding = model.EncodeTokens(rows, new() { BatchSize = 4, Normalize = false }, TestContext.Current.CancellationToken);
        Assert.InRange(RelativeError(expected["text_features"], encoding.Values), 0, Tolerance);
        Assert.False(encoding.IsNormalized);
    }

    [Fact]
    public void ModelHash_OfTheSameWeightsInBothLayouts_IsEqual()
    {
        using ClipModel a = Tiny.Load(_folder, "openai", "gelu", "file");
        using ClipModel b = Tiny.Load(_folder, "huggingface", "gelu", "file");
        using ClipModel c = Tiny.Load(_folder, "huggingface", "quick_gelu", "file");
        Assert.Equal(a.ModelHash, b.ModelHash);
        Assert.NotEqual(a.ModelHash, c.ModelHash);
    }

    private static double RelativeError(SafetensorsTensor expected, float[] actual)
    {
        float[] values = expected.ToSingles();
        Assert.Equal(values.Length, actual.Length);
        double largest = values.Max(value => Math.Abs((double)value));
        return values.Zip(actual).Max(pair => Math.Abs((double)pair.First - pair.Second)) / largest;
    }
}
