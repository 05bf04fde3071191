# check.py SAMPLE PHOTO CALLBACK: runs the document's sample, which leaves client and its last answers behind, then takes
# one application from submit to its end with the same client, and prints every answer as JSON.
import json
import runpy
import sys
import time

ns = runpy.run_path(sys.argv[1])
client = ns['client']
answers = {'batch': ns['result'], 'types': ns['types'], 'applications': ns['applications']}
answers['submit'] = client.submit_application({
    'receipt_type_id': 4, 'id_photo_url': sys.argv[2], 'custom_fields': {'city': '广东省,深圳市'}, 'callback_url': sys.argv[3],
})
no = answers['submit']['data']['application_no']
while True:
    time.sleep(0.05)
    answers['query'] = client.query_result(no)
    if answers['query']['data']['status'] in ('completed', 'failed'):
        break
answers['both'] = client.batch_query_result([no, 'RA20231201143059002'])
answers['completed'] = client.get_applications(page=1, size=10, status='completed')
print(json.dumps(answers))
