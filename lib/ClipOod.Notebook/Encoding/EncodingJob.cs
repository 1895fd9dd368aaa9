using System.Collections.Concurrent;
using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>Encodes a data set, or a shard of it, into a folder of feature sets. What a killed process had done is found again.</summary>
internal sealed class EncodingJob
{
    private readonly ClipModel _model;
    private readonly ImageSource _source;
    private readonly string _folder;
    private readonly ConcurrentDictionary<int, string> _unread = new();

    /// <summary>Prepares the encoding; nothing is written.</summary>
    /// <param name="model">The model.</param>
    /// <param name="modelName">What to call it.</param>
    /// <param name="source">The images; their name and split name the files.</param>
    /// <param name="name">The name of the files, without the split.</param>
    /// <param name="outputs">What to keep of each image; the embedding is.</param>
    /// <param name="folder">The folder of the feature sets, which one model makes.</param>
    /// <exception cref="InvalidDataException">Another model or precision made what the folder holds.</exception>
    public EncodingJob(ClipModel model, string modelName, ImageSource source, string name, ClipImageOutputs outputs, string folder)
    {
        (_model, _source, _folder) = (model, source, folder);
        Plan = EncodingPlan.Of(model, modelName, source, outputs | ClipImageOutputs.Embedding);
        EncodedSets.RequireOneModel(folder, Plan.ModelSha256, Plan.Precision, model.Width);
        Target = Path.Combine(folder, $"{EncodedSets.FileName(name, source.Split)}.safetensors");
    }

    public EncodingPlan Plan { get; }

    /// <summary>The feature set that comes of it.</summary>
    public string Target { get; }

    /// <summary>Whether the feature set is there already.</summary>
    /// <exception cref="InvalidDataException">A feature set of this name is there, of other images or outputs.</exception>
    public bool IsDone() => EncodedSets.Find(Target, Plan);

    /// <summary>Encodes what is missing of a shard; see <see cref="EncodedSets.Merge"/> for what makes one file of all.</summary>
    /// <param name="shard">The shard.</param>
    /// <param name="progress">Told after every batch; counts the images of this shard that are not encoded yet.</param>
    /// <param name="cancellation">Stops between batches; whole chunks are kept.</param>
    /// <returns>The chunks of all that began here, whole for this shard.</returns>
    /// <exception cref="IOException">Images cannot be read any more, or another process encodes this shard; what is done is kept.</exception>
    /// <exception cref="InvalidDataException">The folder holds chunks of another plan.</exception>
    public EncodedChunks Run(EncodingShard shard, IProgress<ClipProgress>? progress = null, CancellationToken cancellation = default)
    {
        EncodedChunks chunks = EncodedChunks.Create(Path.ChangeExtension(Target, EncodedChunks.Ending), Plan);
        using FileStream ours = chunks.Lock(shard);
        int[] todo = [.. Plan.ChunksOf(shard).Where(chunk => !chunks.Has(chunk))];
        int[] rows = [.. todo.SelectMany(chunk => Enumerable.Range(chunk * EncodingPlan.ChunkImages, Math.Min(EncodingPlan.ChunkImages, Plan.Images - (chunk * EncodingPlan.ChunkImages))))];
        _unread.Clear();
        if (rows.Length == 0)
        {
            return chunks;
        }

        ClipEncodingOptions options = new() { BatchSize = EncodingPlan.BatchImages, Progress = progress };
        int next = 0;
        foreach (ClipEncoding part in _model.EncodeParts(
            [.. rows.Select(row => _source.ImageNames[row])], i => Read(rows[i]), EncodingPlan.ChunkImages, Enum.Parse<ClipImageOutputs>(Plan.Outputs), options, cancellation))
        {
            if (part.Failures.Select(failure => _unread.GetValueOrDefault(rows[failure.Index])).FirstOrDefault(message => message is not null) is string unread)
            {
                throw new IOException(
                    $"{unread} What was encoded before is kept in {chunks.Folder}: when the images are there again, the same command goes on from there.");
            }

            chunks.Write(
                todo[next++], part, rows, _source.Labels, _model,
                [.. part.Failures.Select(failure => new FailedImage(rows[failure.Index], failure.Path, Shorten(failure.Message, rows[failure.Index])))]);
        }

        return chunks;
    }

    // A broken image is left out; one that cannot be read now may be read tomorrow, and must not be missing for ever.
    private RgbImage Read(int row)
    {
        try
        {
            return _source.Read(row);
        }
        catch (IOException error)
        {
            _unread[row] = $"{_source.ImageNames[row]} of {_source.Name} {_source.Split} cannot be read any more: {error.Message}";
            throw;
        }
    }

    // The same text wherever the data set lies.
    private string Shorten(string message, int row) =>
        _source.File(row) is string file ? message.Replace(file, _source.ImageNames[row], StringComparison.Ordinal) : message;
}
