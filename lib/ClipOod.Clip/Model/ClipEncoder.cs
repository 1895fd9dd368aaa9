using System.Diagnostics;
using System.Globalization;
using System.Numerics.Tensors;
using System.Threading.Channels;
using Microsoft.ML.OnnxRuntime;

namespace ClipOod.Clip;

/// <summary>Something that turns images and texts into features of one space, such as a <see cref="ClipModel"/>.</summary>
public abstract class ClipEncoder : IDisposable
{
    // Batches that are decoded ahead of the model.
    private const int BatchesAhead = 2;

    private protected ClipEncoder(ClipImageProcessor processor, ClipTokenizer? tokenizer, int width, int contextLength, int? vocabularySize)
    {
        if (tokenizer is not null && vocabularySize is int size && tokenizer.VocabularySize != size)
        {
            throw new ArgumentException(
                $"The tokenizer has {tokenizer.VocabularySize} tokens, the model {size}. Give the tokenizer that the model was trained with.", nameof(tokenizer));
        }

        (ImageProcessor, Tokenizer, Width, ContextLength, VocabularySize) = (processor, tokenizer, width, contextLength, vocabularySize);
    }

    /// <summary>The preprocessing of images.</summary>
    public ClipImageProcessor ImageProcessor { get; }

    /// <summary>The tokenizer; null where there is none, which texts need.</summary>
    public ClipTokenizer? Tokenizer { get; }

    /// <summary>Width of the features.</summary>
    public int Width { get; }

    /// <summary>Number of tokens of a row.</summary>
    public int ContextLength { get; }

    /// <summary>Number of tokens that the model knows; null where its file does not tell.</summary>
    public int? VocabularySize { get; }

    /// <summary>A fingerprint of the model, as hexadecimal digits.</summary>
    public abstract string ModelHash { get; }

    /// <summary>The name of the numbers in which it encodes images, by which their features say how they were made: "FP32" or such as "INT8".</summary>
    public virtual string PrecisionName => ClipPrecision.Single.Name();

    /// <summary>Encodes image files. Files that cannot be decoded are reported in the result; the others are encoded.</summary>
    /// <param name="paths">The files.</param>
    /// <param name="options">Batch size, normalisation, progress.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>A row for each file that could be decoded.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="InsufficientMemoryException">A batch does not fit into memory; the message says which size does.</exception>
    public ClipEncoding EncodeImages(IReadOnlyList<string> paths, ClipEncodingOptions? options = null, CancellationToken cancellation = default)
    {
        return EncodeImages(paths, ImageOutput, options, cancellation);
    }

    /// <summary>Encodes pictures in memory.</summary>
    /// <param name="images">The pictures, of any sizes.</param>
    /// <param name="options">Batch size, normalisation, progress.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>A row for each picture.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="InsufficientMemoryException">A batch does not fit into memory; the message says which size does.</exception>
    public ClipEncoding EncodeImages(IReadOnlyList<RgbImage> images, ClipEncodingOptions? options = null, CancellationToken cancellation = default)
    {
        return EncodeImages(images, ImageOutput, options, cancellation);
    }

    /// <summary>Encodes texts.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="options">Batch size, normalisation, what to do with texts that are too long, progress.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>A row for each text.</returns>
    /// <exception cref="InvalidOperationException">There is no tokenizer.</exception>
    /// <exception cref="ArgumentException">A text is too long and the options say to refuse it.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public ClipEncoding EncodeTexts(IReadOnlyList<string> texts, ClipEncodingOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        options ??= new();
        ClipTokenizer tokenizer = Tokenizer ?? throw new InvalidOperationException(
            "The model has no tokenizer: give one when it is loaded, or put tokenizer.json, vocab.json with merges.txt, or bpe_simple_vocab_16e6.txt.gz beside its weights.");
        return EncodeTokens(tokenizer.EncodeRows(texts, ContextLength, options.Overflow), options, cancellation) with { Sources = texts };
    }

    /// <summary>Encodes rows of token numbers.</summary>
    /// <param name="rows">texts × length; each row holds its end token, the largest number of the row, within the context length.</param>
    /// <param name="options">Batch size, normalisation, progress.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>A row for each text.</returns>
    /// <exception cref="ArgumentException">The rows are longer than the context, or a number is no token of the model.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public ClipEncoding EncodeTokens(int[,] rows, ClipEncodingOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(rows);
        options = Checked(options);
        (int count, int length) = (rows.GetLength(0), rows.GetLength(1));
        if (length < 1 || length > ContextLength)
        {
            throw new ArgumentException($"The rows have {length} tokens, expected 1 to {ContextLength}.", nameof(rows));
        }

        int[] ends = [.. Enumerable.Range(0, count).Select(row => EndOf(rows, row))];

        // Texts of like length together: a batch is as long as its longest text.
        int[] order = [.. Enumerable.Range(0, count).OrderBy(row => ends[row])];
        float[] values = new float[count * Width];
        Stopwatch clock = Stopwatch.StartNew();
        int done = 0;
        foreach (int[] batch in order.Chunk(options.BatchSize))
        {
            cancellation.ThrowIfCancellationRequested();
            int used = ends[batch[^1]] + 1;
            long[] ids = [.. from row in batch from column in Enumerable.Range(0, used) select (long)rows[row, column]];
            float[] features = Run(batch.Length, size => EncodeIds(ids[..(size * used)], size, used));
            for (int i = 0; i < batch.Length; i++)
            {
                features.AsSpan(i * Width, Width).CopyTo(values.AsSpan(batch[i] * Width));
            }

            options.Progress?.Report(new(done += batch.Length, count, 0, clock.Elapsed));
        }

        int[] indices = [.. Enumerable.Range(0, count)];
        return Finish(values, options, indices, [.. indices.Select(i => string.Create(CultureInfo.InvariantCulture, $"tokens {i}"))], Width);
    }

    /// <summary>
    /// The feature of each class as the ensemble of its prompts: features of length 1, their mean, and again a length of 1 (Radford et al. 2021).
    /// </summary>
    /// <param name="classNames">The classes.</param>
    /// <param name="templates">The templates, such as <see cref="PromptTemplates.Cifar18"/>.</param>
    /// <param name="options">Batch size, what to do with texts that are too long, progress; the result is always normalised.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>A row for each class.</returns>
    /// <exception cref="ArgumentException">There is no template, or one has no place for the class name.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public ClipEncoding EncodeClasses(
        IReadOnlyList<string> classNames, IReadOnlyList<string> templates, ClipEncodingOptions? options = null, CancellationToken cancellation = default)
    {
        ClipEncoding prompts = EncodeTexts(PromptTemplates.FillAll(templates, classNames), (options ?? new()) with { Normalize = true }, cancellation);
        float[] values = new float[classNames.Count * Width];
        for (int i = 0; i < prompts.Count; i++)
        {
            Span<float> sum = values.AsSpan(i / templates.Count * Width, Width);
            TensorPrimitives.Add(sum, prompts.Row(i), sum);
        }

        return Finish(values, new(), [.. Enumerable.Range(0, classNames.Count)], classNames, Width) with { Prompt = string.Join(" | ", templates) };
    }

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>Runs the image tower on <paramref name="count"/> normalised images; the features are not normalised.</summary>
    private protected abstract float[] EncodePixels(Memory<float> pixels, int count);

    /// <summary>Runs the text tower on <paramref name="count"/> rows of <paramref name="length"/> token numbers.</summary>
    private protected abstract float[] EncodeIds(long[] ids, int count, int length);

    private PixelEncoder ImageOutput => new(Width, EncodePixels);

    /// <summary>Encodes image files with one of the image tower's outputs.</summary>
    private protected ClipEncoding EncodeImages(IReadOnlyList<string> paths, PixelEncoder output, ClipEncodingOptions? options, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(paths);
        int maxPixels = (options ??= new()).MaxPixels;
        return EncodeImages(
            paths,
            (i, room, small) =>
            {
                using RgbaPixels pixels = ImageDecoder.DecodeRgba(paths[i], maxPixels);
                ImageProcessor.Process(pixels, room);
                return small?.ResizeAndCrop(pixels);
            },
            output, options, cancellation);
    }

    /// <summary>Encodes pictures in memory with one of the image tower's outputs.</summary>
    private protected ClipEncoding EncodeImages(IReadOnlyList<RgbImage> images, PixelEncoder output, ClipEncodingOptions? options, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(images);
        string[] names = [.. Enumerable.Range(0, images.Count).Select(i => string.Create(CultureInfo.InvariantCulture, $"image {i}"))];
        return EncodeImages(
            names,
            (i, room, small) =>
            {
                ImageProcessor.Process(images[i], room);
                return small?.ResizeAndCrop(images[i]);
            },
            output, options ?? new(), cancellation);
    }

    private ClipEncoding EncodeImages(
        IReadOnlyList<string> names, DecodeImage prepare, PixelEncoder output, ClipEncodingOptions given, CancellationToken cancellation) =>
        names.Count == 0
            ? FinishImages([], given, [], [], names, output.Width)
            : EncodeParts(names, prepare, names.Count, output, given, cancellation).Single();

    /// <summary>
    /// Encodes images part by part, each as soon as it is done, while the next ones are prepared. No batch reaches over the end of a part:
    /// the rows of a part are the same whatever other parts there are.
    /// </summary>
    /// <param name="partSize">Images in a part, but for the last one; a whole number of batches.</param>
    private protected IEnumerable<ClipEncoding> EncodeParts(
        IReadOnlyList<string> names, DecodeImage prepare, int partSize, PixelEncoder output, ClipEncodingOptions given, CancellationToken cancellation)
    {
        ClipEncodingOptions options = Checked(given);
        int batchSize = Math.Min(options.BatchSize, partSize);
        int largest = Array.MaxLength / ImageProcessor.ValueCount;
        if (batchSize > largest)
        {
            throw new InsufficientMemoryException($"A batch of {batchSize} images of {ImageProcessor.Size} pixels does not fit into one array, a batch of {largest} does: lower {nameof(ClipEncodingOptions.BatchSize)}.");
        }

        ClipImageProcessor? small = options.ThumbnailSide is int side ? new(side) : null;
        RgbImage?[] thumbnails = small is null ? [] : new RgbImage[names.Count];
        float[] values = new float[Math.Min(partSize, names.Count) * output.Width];
        List<int> indices = [];
        List<ClipFailure> failures = [];
        int done = 0, failed = 0;
        Stopwatch clock = Stopwatch.StartNew();
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Channel<Batch> ready = Channel.CreateBounded<Batch>(BatchesAhead);
        Channel<float[]> free = Channel.CreateUnbounded<float[]>();
        Task producer = Task.Run(() => PrepareAsync(names, Prepared, batchSize, ready.Writer, free.Reader, stop.Token), CancellationToken.None);
        try
        {
            foreach (Batch batch in Wait(ready.Reader, stop.Token))
            {
                if (batch.Indices.Count > 0)
                {
                    float[] features = Run(batch.Indices.Count, size => output.Encode(batch.Pixels.AsMemory(0, size * ImageProcessor.ValueCount), size));
                    features.CopyTo(values.AsSpan(indices.Count * output.Width));
                    indices.AddRange(batch.Indices);
                }

                failures.AddRange(batch.Failures);
                free.Writer.TryWrite(batch.Pixels);
                done += batch.Indices.Count + batch.Failures.Count;
                failed += batch.Failures.Count;
                options.Progress?.Report(new(done, names.Count, failed, clock.Elapsed));
                if (indices.Count + failures.Count == partSize || done == names.Count)
                {
                    yield return FinishImages(values[..(indices.Count * output.Width)], options, indices, failures, names, output.Width) with
                    {
                        Thumbnails = small is null ? [] : [.. indices.Select(i => thumbnails[i]!)],
                    };
                    (indices, failures) = ([], []);
                }
            }
        }
        finally
        {
            stop.Cancel();
            ((IAsyncResult)producer).AsyncWaitHandle.WaitOne();
        }

        void Prepared(int i, Span<float> room)
        {
            if (prepare(i, room, small) is { } thumbnail)
            {
                thumbnails[i] = thumbnail;
            }
        }
    }

    private ClipEncoding FinishImages(
        float[] values, ClipEncodingOptions options, IReadOnlyList<int> indices, IReadOnlyList<ClipFailure> failures, IReadOnlyList<string> names, int width) =>
        Finish(values, options, indices, [.. indices.Select(i => names[i])], width) with
        {
            Failures = failures,
            Preprocessing = ImageProcessor.ToString(),
            Precision = PrecisionName,
        };

    /// <summary>Decodes and resizes batches, on all processors, as long as there is room for them.</summary>
    private async Task PrepareAsync(
        IReadOnlyList<string> names, PrepareImage prepare, int batchSize, ChannelWriter<Batch> ready, ChannelReader<float[]> free, CancellationToken stop)
    {
        try
        {
            for (int first = 0; first < names.Count; first += batchSize)
            {
                await ready.WaitToWriteAsync(stop).ConfigureAwait(false);
                int count = Math.Min(batchSize, names.Count - first);
                float[] pixels = free.TryRead(out float[]? used) ? used : new float[batchSize * ImageProcessor.ValueCount];
                await ready.WriteAsync(Prepare(names, prepare, first, count, pixels, stop), stop).ConfigureAwait(false);
            }

            ready.Complete();
        }
        catch (Exception error)
        {
            // The consumer throws it.
            ready.Complete(error);
        }
    }

    private Batch Prepare(IReadOnlyList<string> names, PrepareImage prepare, int first, int count, float[] pixels, CancellationToken stop)
    {
        int size = ImageProcessor.ValueCount;
        string?[] errors = new string?[count];
        Parallel.For(0, count, new ParallelOptions { CancellationToken = stop }, i =>
        {
            try
            {
                prepare(first + i, pixels.AsSpan(i * size, size));
            }
            catch (Exception error) when (error is InvalidDataException or IOException or UnauthorizedAccessException)
            {
                errors[i] = error.Message;
            }
        });

        // Images that failed leave no holes.
        List<int> indices = [];
        List<ClipFailure> failures = [];
        for (int i = 0; i < count; i++)
        {
            if (errors[i] is string message)
            {
                failures.Add(new(first + i, names[first + i], message));
                continue;
            }

            if (indices.Count < i)
            {
                pixels.AsSpan(i * size, size).CopyTo(pixels.AsSpan(indices.Count * size));
            }

            indices.Add(first + i);
        }

        return new Batch(pixels, indices, failures);
    }

    /// <summary>The batches as they come, on the calling thread.</summary>
    private static IEnumerable<Batch> Wait(ChannelReader<Batch> ready, CancellationToken stop)
    {
        while (ready.WaitToReadAsync(stop).AsTask().GetAwaiter().GetResult())
        {
            while (ready.TryRead(out Batch? batch))
            {
                stop.ThrowIfCancellationRequested();
                yield return batch;
            }
        }
    }

    /// <summary>Runs a batch; where it does not fit into memory, finds by halving which size does, and says so.</summary>
    private static float[] Run(int count, Func<int, float[]> encode)
    {
        try
        {
            return encode(count);
        }
        catch (Exception error) when (IsOutOfMemory(error))
        {
            int size = count / 2;
            while (size > 0 && !Fits(size, encode))
            {
                size /= 2;
            }

            throw new InsufficientMemoryException(
                size > 0
                    ? $"A batch of {count} does not fit into memory, a batch of {size} does: set {nameof(ClipEncodingOptions.BatchSize)} to it."
                    : "Not even one image or text fits into memory beside the model.",
                error);
        }
    }

    private static bool Fits(int size, Func<int, float[]> encode)
    {
        try
        {
            encode(size);
            return true;
        }
        catch (Exception error) when (IsOutOfMemory(error))
        {
            return false;
        }
    }

    private static bool IsOutOfMemory(Exception error) =>
        error is OutOfMemoryException
        || (error is OnnxRuntimeException && (error.Message.Contains("allocate memory", StringComparison.OrdinalIgnoreCase) || error.Message.Contains("bad_alloc", StringComparison.Ordinal)));

    private static ClipEncodingOptions Checked(ClipEncodingOptions? options)
    {
        options ??= new();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.BatchSize, 1, nameof(options.BatchSize));
        return options;
    }

    private int EndOf(int[,] rows, int row)
    {
        int end = 0;
        for (int column = 0; column < rows.GetLength(1); column++)
        {
            int id = rows[row, column];
            if (id < 0 || id >= (VocabularySize ?? int.MaxValue))
            {
                throw new ArgumentException(
                    $"Row {row} has the token {id} at place {column}, expected 0 to {VocabularySize - 1}: were the texts made by another model's tokenizer?", nameof(rows));
            }

            end = id > rows[row, end] ? column : end;
        }

        return end;
    }

    private ClipEncoding Finish(float[] values, ClipEncodingOptions options, IReadOnlyList<int> indices, IReadOnlyList<string> sources, int width)
    {
        for (int row = 0; options.Normalize && row < indices.Count; row++)
        {
            Span<float> feature = values.AsSpan(row * width, width);
            TensorPrimitives.Divide(feature, (float)Math.Max(TensorPrimitives.Norm<float>(feature), 1e-12), feature);
        }

        return new()
        {
            Values = values,
            Width = width,
            Indices = indices,
            Sources = sources,
            IsNormalized = options.Normalize,
            ModelHash = ModelHash,
            Precision = ClipPrecision.Single.Name(),
        };
    }

    /// <summary>One of the outputs of an image tower: its width, and the run on a number of normalised images.</summary>
    private protected readonly record struct PixelEncoder(int Width, Func<Memory<float>, int, float[]> Encode);

    private delegate void PrepareImage(int index, Span<float> destination);

    /// <summary>Prepares an image for the model, and small for readers where that is wanted.</summary>
    private protected delegate RgbImage? DecodeImage(int index, Span<float> destination, ClipImageProcessor? small);

    private sealed record Batch(float[] Pixels, IReadOnlyList<int> Indices, IReadOnlyList<ClipFailure> Failures);
}
