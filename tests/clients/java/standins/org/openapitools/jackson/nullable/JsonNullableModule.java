package org.openapitools.jackson.nullable;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.BeanDescription;
import com.fasterxml.jackson.databind.BeanProperty;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.SerializationConfig;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.deser.ContextualDeserializer;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.BeanPropertyWriter;
import com.fasterxml.jackson.databind.ser.BeanSerializerModifier;
import java.io.IOException;
import java.util.List;

/** Leaves out fields that are undefined, and writes null for those that are null. */
@SuppressWarnings({"rawtypes", "unchecked"})
public final class JsonNullableModule extends SimpleModule {
    public JsonNullableModule() {
        addSerializer(JsonNullable.class, new Writer());
        addDeserializer(JsonNullable.class, new Reader(null));
        setSerializerModifier(new BeanSerializerModifier() {
            @Override
            public List<BeanPropertyWriter> changeProperties(
                    SerializationConfig config, BeanDescription bean, List<BeanPropertyWriter> fields) {
                fields.replaceAll(
                        field -> field.getType().hasRawClass(JsonNullable.class) ? new IfPresent(field) : field);
                return fields;
            }
        });
    }

    private static final class IfPresent extends BeanPropertyWriter {
        IfPresent(BeanPropertyWriter field) {
            super(field);
        }

        @Override
        public void serializeAsField(Object bean, JsonGenerator to, SerializerProvider provider) throws Exception {
            if (((JsonNullable) get(bean)).isPresent()) {
                super.serializeAsField(bean, to, provider);
            }
        }
    }

    private static final class Writer extends JsonSerializer<JsonNullable> {
        @Override
        public void serialize(JsonNullable value, JsonGenerator to, SerializerProvider provider) throws IOException {
            provider.defaultSerializeValue(value.get(), to);
        }
    }

    private static final class Reader extends JsonDeserializer<JsonNullable> implements ContextualDeserializer {
        private final JavaType type;

        Reader(JavaType type) {
            this.type = type;
        }

        @Override
        public JsonDeserializer<?> createContextual(DeserializationContext context, BeanProperty property) {
            return new Reader(context.getContextualType().containedType(0));
        }

        @Override
        public JsonNullable deserialize(JsonParser from, DeserializationContext context) throws IOException {
            return JsonNullable.of(context.readValue(from, type));
        }

        @Override
        public JsonNullable getNullValue(DeserializationContext context) {
            return JsonNullable.of(null);
        }
    }
}
