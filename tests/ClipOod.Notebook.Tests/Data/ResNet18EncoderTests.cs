using ClipOod.Autodiff;
using ClipOod.Clip;
using Microsoft.ML.OnnxRuntime;

namespace ClipOod.Notebook.Tests.Data;

public sealed class ResNet18EncoderTests : IDisposable
{
    private static readonly RgbImage[] _pictures =
        [.. Noise(6).ToRgbImages(), new RgbImage(300, 20, [.. Enumerable.Range(0, 18000).Select(i => (byte)(i * 7))])];

    private readonly ResNet18Encoder _model = ResNet18Encoder.Load();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _model.Dispose();

    [Fact]
    public void Features_Are512OfLengthOne_WhateverTheBatch()
    {
        ClipEncoding one = _model.EncodeImages(_pictures, new() { BatchSize = 1 }, Stop);
        ClipEncoding all = _model.EncodeImages(_pictures, new() { BatchSize = 100 }, Stop);
        Assert.Equal((7, 512), (one.Count, one.Width));
        Assert.Equal(one.Values, all.Values);
        Assert.True(new Embeddings(one.Count, one.Width, one.Values).IsUnitNorm(1e-5));
        Assert.Equal("e2552f19db2dfdb01b3669537b6a0f1b44da38d18279535492ed5dfc2ef1ff8f", _model.ModelHash);
    }

    [Fact]
    public void Preprocessing_IsThePackagesGraph_OnValuesFrom0To255()
    {
        string folder = Path.Combine(Repository.Root, "artifacts", "notebook");
        using InferenceSession preprocessing = Engine.CreateSession(Path.Combine(folder, "ResNetPreprocess.onnx"), threads: 1);
        using InferenceSession model = Engine.CreateSession(Path.Combine(folder, "ResNet18.onnx"), threads: 1);
        RgbImage crop = new ClipImageProcessor(224).ResizeAndCrop(_pictures[^1]);
        float[] values = new float[3 * 224 * 224];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = crop.Pixels[(3 * (i % (224 * 224))) + (i / (224 * 224))];
        }

        float[] expected = Run(model, Run(preprocessing, values));
        float[] features = _model.EncodeImages(_pictures[^1..], new() { Normalize = false }, Stop).Values;
        Assert.All(expected.Zip(features), pair => Assert.Equal(pair.First, pair.Second, 1e-3));
        Assert.Contains(expected, value => value > 0.1);
    }

    [Fact]
    public void Texts_AreRefused() =>
        Assert.Contains("no tokenizer", Assert.Throws<InvalidOperationException>(() => _model.EncodeTexts(["a dog"], cancellation: Stop)).Message, StringComparison.Ordinal);

    [Fact]
    public void AFolderWithoutTheFiles_IsNamed()
    {
        using TemporaryFolder folder = new();
        Assert.Contains(folder.Path, Assert.Throws<FileNotFoundException>(() => ResNet18Encoder.Load(folder.Path)).Message, StringComparison.Ordinal);
    }

    private static float[] Run(InferenceSession session, float[] image)
    {
        using RunOptions options = new();
        using OrtValue input = Engine.Tensor<float>(image, 1, 3, 224, 224);
        using IDisposableReadOnlyCollection<OrtValue> results = session.Run(options, [session.InputNames[0]], [input], [session.OutputNames[0]]);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
    }

    private static ImageBatch Noise(int count)
    {
        byte[] pixels = new byte[count * 40 * 50 * 3];
        new Random(3).NextBytes(pixels);
        return new ImageBatch(count, 40, 50, pixels);
    }
}
