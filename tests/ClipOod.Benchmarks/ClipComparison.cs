using System.Runtime.InteropServices;
using ClipOod.Autodiff;
using ClipOod.Clip;
using SkiaSharp;

namespace ClipOod.Benchmarks;

/// <summary>CLIP's work of <see cref="PeerComparison"/>: towers with random weights that peers.py reads from the same file.</summary>
internal static class ClipComparison
{
    private const int ImageBatch = 16;
    private const int ImageBatches = 4;
    private const int StepBatch = 64;
    private const int TextBatch = 16;
    private const int Steps = 4;
    private const int Files = 96;
    private const int FileWidth = 500;
    private const int FileHeight = 375;
    private const int Photographs = 8;
    private const int PhotographWidth = 4000;
    private const int PhotographHeight = 3000;

    private static readonly ClipConfig _vitB32 = ClipConfig.Named("ViT-B-32");

    // The image tower of the training step; its text tower stays small, as it is not used.
    private static readonly ClipConfig _smallVit = new()
    {
        EmbeddingWidth = 64,
        ImageSize = 64,
        PatchSize = 8,
        Vision = ClipTransformerSizes.Usual(192, 4),
        VocabularySize = 64,
        Text = ClipTransformerSizes.Usual(64, 1),
        Activation = ClipActivation.Gelu,
    };

    /// <summary>Writes ViT-B/32 with random weights and returns its file.</summary>
    public static string WriteVitB32(string folder) => Write(folder, _vitB32, out _);

    /// <summary>Forward pass of ViT-B/32's image tower, and how near it comes to what the machine's products allow.</summary>
    public static (Row Row, string Note) ImageForward(string folder)
    {
        using ClipModel model = ClipModel.Load(WriteVitB32(folder));
        float[] pixels = Workloads.Normals(ImageBatches * ImageBatch * model.ImageProcessor.ValueCount, seed: 11);
        PeerComparison.Write(folder, "pixels.f32", MemoryMarshal.AsBytes<float>(pixels));
        using Evaluator session = new([model.ImageFeatures], constantWeights: true);
        Row row = PeerComparison.Compare(
            $"ViT-B/32 image tower, forward, {ImageBatches} batches of {ImageBatch}",
            () => Forward(model, session, pixels), "torch-image", folder, target: 2.5, tolerance: 1e-4);

        // The usual count, in which a multiplication and an addition are two operations.
        double tokens = _vitB32.Patches + 1, width = _vitB32.Vision.Width;
        double operations = 2 * ImageBatches * ImageBatch
            * ((_vitB32.Vision.Layers * tokens * ((12 * width * width) + (2 * tokens * width))) + (_vitB32.Patches * width * 3 * _vitB32.PatchSize * _vitB32.PatchSize));
        double rate(List<Timing> timings) => operations / PeerComparison.Median(timings, timing => timing.Seconds) / 1e9;
        double product = ProductRate(ImageBatch * (int)tokens, (int)width, 4 * (int)width);
        return (row, FormattableString.Invariant(
            $"The image tower runs at {rate(row.Ours):F0} billion operations a second here and at {rate(row.Theirs):F0} in PyTorch; one matrix product of its shapes alone at {product:F0}. The target of {row.Target:F1} times PyTorch asks for {row.Target * rate(row.Theirs):F0}: {(row.Target * rate(row.Theirs) > product ? "more than this processor's products give" : "within what this processor's products give")}."));
    }

    /// <summary>Billions of operations a second of ONNX Runtime's matrix product, the best of ten.</summary>
    private static double ProductRate(int rows, int inner, int columns)
    {
        Graph graph = new("product");
        Tensor x = graph.Input("x", ElementType.Float, rows, inner);
        Tensor weight = graph.Input("weight", ElementType.Float, inner, columns);

        // Its sum, as copying all of it out would be timed too.
        using Evaluator session = new([x.MatMul(weight).Sum()]);
        float[] left = Workloads.Normals(rows * inner, seed: 16), right = Workloads.Normals(inner * columns, seed: 17);
        double seconds = Enumerable.Range(0, 10).Min(_ => PeerComparison.Time(
            () => session.Run(("x", left.AsMemory()), ("weight", right.AsMemory()))[0].Values<float>()[0], "the product").Seconds);
        return 2.0 * rows * inner * columns / seconds / 1e9;
    }

    /// <summary>Training step of a small ViT.</summary>
    public static Row ImageStep(string folder)
    {
        Write(folder, _smallVit, out ClipModel model);
        using (model)
        {
            float[] pixels = Workloads.Normals((Steps + 1) * StepBatch * model.ImageProcessor.ValueCount, seed: 12);
            PeerComparison.Write(folder, "pixels.f32", MemoryMarshal.AsBytes<float>(pixels));
            return CompareSteps(
                $"training step of a ViT (4 layers, width 192, 3 heads, 64x64 pixels, patch 8), {Steps} steps of {StepBatch}",
                model, model.ImageTower, model.ImageFeatures, StepBatch, "torch-vit-step", folder,
                step => (model.Pixels.Name, pixels.AsMemory(step * StepBatch * model.ImageProcessor.ValueCount, StepBatch * model.ImageProcessor.ValueCount)));
        }
    }

    /// <summary>Training step of ViT-B/32's text tower.</summary>
    public static Row TextStep(string folder)
    {
        Write(folder, _vitB32, out ClipModel model);
        using (model)
        {
            int length = model.Config.ContextLength;
            Random random = new(13);
            long end = model.Config.VocabularySize - 1;
            long[] ids = [.. Enumerable.Range(0, (Steps + 1) * TextBatch * length).Select(i => (i + 1) % length == 0 ? end : random.NextInt64(end))];
            PeerComparison.Write(folder, "ids.i64", MemoryMarshal.AsBytes<long>(ids));
            return CompareSteps(
                $"training step of ViT-B/32's text tower at context {length}, {Steps} steps of {TextBatch}",
                model, model.TextTower, model.TextFeatures, TextBatch, "torch-text-step", folder,
                step => (model.Ids.Name, TensorValue.Of(ids[(step * TextBatch * length)..((step + 1) * TextBatch * length)], TextBatch, length)));
        }
    }

    /// <summary>Features of image files against the model alone on their pixels.</summary>
    public static Row FromFiles(string folder)
    {
        string[] paths = WriteImages(folder, Files, FileWidth, FileHeight);
        using ClipModel model = ClipModel.Load(WriteVitB32(folder));
        int size = model.ImageProcessor.ValueCount;
        float[] pixels = new float[Files * size];
        for (int i = 0; i < Files; i++)
        {
            model.ImageProcessor.ProcessFile(paths[i], pixels.AsSpan(i * size, size));
        }

        using Evaluator session = new([model.ImageFeatures], constantWeights: true);
        ClipEncodingOptions options = new() { BatchSize = ImageBatch, Normalize = false };
        double alone() => Forward(model, session, pixels);
        alone();
        return PeerComparison.Compare(
            $"{Files} image files ({FileWidth}x{FileHeight}, JPEG and PNG by turns) to features, against the model alone",
            () => MeanMagnitude(model.EncodeImages(paths, options).Values), "model alone", () => PeerComparison.Time(alone, "the model alone"), target: 0.9, tolerance: 1e-4);
    }

    /// <summary>Features of photographs as cameras make them, which take longer to decode than the model takes to see them.</summary>
    public static string FromPhotographs(string folder)
    {
        string[] paths = [.. Enumerable.Repeat(WriteImages(folder, Photographs, PhotographWidth, PhotographHeight).Where(path => path.EndsWith(".jpg", StringComparison.Ordinal)), 4).SelectMany(path => path)];
        using ClipModel model = ClipModel.Load(WriteVitB32(folder));
        ClipEncodingOptions options = new() { BatchSize = ImageBatch };
        model.EncodeImages(paths[..ImageBatch], options);
        Timing timing = PeerComparison.Time(() => MeanMagnitude(model.EncodeImages(paths, options).Values), "photographs");
        return FormattableString.Invariant(
            $"Photographs of {PhotographWidth}x{PhotographHeight} pixels (JPEG) to features of ViT-B/32: {paths.Length / timing.Seconds:F1} a second, {timing.Processor / paths.Length:F3} s of processor time each.");
    }

    private static Row CompareSteps(
        string work, ClipModel model, ClipTower tower, Tensor features, int batch, string task, string folder, Func<int, Feed> input)
    {
        model.ImageTower.SetTrainable(tower == model.ImageTower);
        model.TextTower.SetTrainable(tower == model.TextTower);
        model.LogitScale.Trainable = false;
        Random random = new(14);
        long[] labels = [.. Enumerable.Range(0, (Steps + 1) * batch).Select(_ => random.NextInt64(model.Width))];
        PeerComparison.Write(folder, "labels.i64", MemoryMarshal.AsBytes<long>(labels));
        Tensor loss = Op.CrossEntropy(features, model.Graph.Input("labels", ElementType.Int64, "batch"));
        using Trainer trainer = new(loss, new AdamW(1e-4, weightDecay: 0.1));
        double step(int i) => trainer.Step(input(i), ("labels", labels[(i * batch)..((i + 1) * batch)]));
        double steps() => Enumerable.Range(1, Steps).Aggregate(0.0, (_, i) => step(i));

        // As the peer: a first step that is not timed. Each round goes on from there.
        step(0);
        IReadOnlyDictionary<string, TensorValue> state = trainer.GetState();
        return PeerComparison.Compare(
            work, steps, task, () => PeerComparison.RunPeer(task, folder), target: 2, tolerance: 1e-3, () => trainer.SetState(state));
    }

    private static double Forward(ClipModel model, Evaluator session, float[] pixels)
    {
        int size = ImageBatch * model.ImageProcessor.ValueCount;
        return Enumerable.Range(0, pixels.Length / size)
            .Average(i => MeanMagnitude(session.Run((model.Pixels.Name, pixels.AsMemory(i * size, size)))[0].Values<float>()));
    }

    private static double MeanMagnitude(ReadOnlySpan<float> values)
    {
        double sum = 0;
        foreach (float value in values)
        {
            sum += Math.Abs(value);
        }

        return sum / values.Length;
    }

    private static string Write(string folder, ClipConfig config, out ClipModel model)
    {
        string file = Path.Combine(folder, "model.safetensors");
        model = ClipModel.Create(config, seed: 10);
        model.Save(file);
        return file;
    }

    /// <summary>Smooth colours with some noise, which compress about as photographs do.</summary>
    private static string[] WriteImages(string folder, int count, int width, int height)
    {
        Random random = new(15);
        string[] paths = new string[count];
        for (int i = 0; i < count; i++)
        {
            bool isJpeg = i % 2 == 0;
            double[] waves = [.. Enumerable.Range(0, 9).Select(_ => random.NextDouble() / 10)];
            using SKBitmap bitmap = new(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
            Span<byte> bytes = bitmap.GetPixelSpan();
            for (int at = 0; at < bytes.Length; at++)
            {
                (int pixel, int channel) = (at / 4, at % 4);
                double wave = Math.Sin((waves[channel % 3] * (pixel % width)) + (waves[3 + (channel % 3)] * (pixel / width)));
                bytes[at] = channel == 3 ? (byte)255 : (byte)(128 + (100 * wave) + random.Next(-12, 13));
            }

            paths[i] = Path.Combine(folder, FormattableString.Invariant($"{i:000}.{(isJpeg ? "jpg" : "png")}"));
            using FileStream file = File.Create(paths[i]);
            bitmap.Encode(file, isJpeg ? SKEncodedImageFormat.Jpeg : SKEncodedImageFormat.Png, 90);
        }

        return paths;
    }
}
